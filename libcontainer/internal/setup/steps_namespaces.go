package setup

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
)

// remedyNamespaces adds to EPERM the privilege that new namespaces need.
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

func joinNamespaces(r *run) error {
	r.forgetGroups()
	r.plan.Join(r.stub)
	return nil
}

func unshareNamespaces(r *run) error {
	r.stub.Unshare(r.plan.Unshare)
	return nil
}

func unshareCgroup(r *run) error {
	r.stub.Unshare(unix.CLONE_NEWCGROUP)
	return nil
}

func setHostname(r *run) error {
	if r.cfg.Hostname != "" {
		r.stub.Sethostname(r.cfg.Hostname)
	}
	if r.cfg.Domainname != "" {
		r.stub.Setdomainname(r.cfg.Domainname)
	}
	return nil
}
