package setup

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
)

// remedyNamespaces adds to an error what it takes to make namespaces, if the
// kernel has denied them.
func remedyNamespaces(err error, cfg *config.Config) error {
	if !errors.Is(err, unix.EPERM) || probe.ExplainDenied(err) != "" {
		return err
	}
	remedy := ""
	switch root := os.Geteuid() == 0; {
	case !hasUserNamespace(cfg) && !root:
		remedy = `an unprivileged user needs a user namespace: see "berth spec --rootless"`
	case !hasUserNamespace(cfg) && !probe.Admin():
		remedy = "new namespaces need CAP_SYS_ADMIN, which this process lacks: the sandbox around it must grant that"
	default:
		remedy = "a seccomp filter, a security module or a chroot around the runtime denies new namespaces"
	}
	return config.FieldErrorf("linux.namespaces", "%w (%s)", err, remedy)
}
