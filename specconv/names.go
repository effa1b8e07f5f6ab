package specconv

import (
	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// nameMax is the kernel's __NEW_UTS_LEN.
const nameMax = 64

// convertNames checks hostname and domainname.
func convertNames(out *config.Config, spec *specs.Spec) error {
	if err := checkName("hostname", spec.Hostname, out.Namespaces); err != nil {
		return err
	}
	if err := checkName("domainname", spec.Domainname, out.Namespaces); err != nil {
		return err
	}
	out.Hostname, out.Domainname = spec.Hostname, spec.Domainname
	return nil
}

// checkName refuses a name that the kernel would refuse, or that would rename
// the host. In a namespace that is joined it is set too: engines that join a
// pod's namespace pass the pod's own name.
func checkName(field, name string, namespaces config.Namespaces) error {
	switch {
	case name == "":
		return nil
	case len(name) > nameMax:
		return fieldErr(field, "%s: %d bytes, and the kernel takes %d", config.Quote(name), len(name), nameMax)
	case !namespaces.Has(unix.CLONE_NEWUTS):
		return fieldErr(field, `%s: needs a "uts" namespace in linux.namespaces, or the host would be renamed`, config.Quote(name))
	}
	return text(field, name)
}
