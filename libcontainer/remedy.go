package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/config"
)

// explainDenied adds to an error that the kernel, or a seccomp filter around this
// process, lacks system calls.
func explainDenied(err error) error {
	if text := probe.ExplainDenied(err); text != "" {
		return fmt.Errorf("%w (%s)", err, text)
	}
	return err
}

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

// remedyCgroup adds to an error what an unprivileged user can do about it, if it
// is that there is no permission to make or change a cgroup, or none was made.
func remedyCgroup(err error) error {
	if os.Geteuid() == 0 && !probe.InUserNamespace() || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, cgroups.ErrNoCgroup) {
		return err
	}
	return fmt.Errorf("%w (the container of an unprivileged user needs a delegated cgroup v2: "+
		"create it by \"systemd-run --user --scope -p Delegate=yes\")", err)
}
