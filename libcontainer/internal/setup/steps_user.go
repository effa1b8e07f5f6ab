package setup

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
)

// The steps into a user namespace.

func enterRootDirectory(r *run) error {
	r.stub.Label("root.path: %q", r.cfg.Rootfs)
	r.stub.Chdir(r.cfg.Rootfs)
	return nil
}

// makeDumpable makes an unprivileged runtime the owner of the stub's files in /proc,
// which otherwise belong to root. becomeRoot reverses it.
func (r *run) makeDumpable() {
	if !r.root {
		r.stub.Prctl(unix.PR_SET_DUMPABLE, 1)
	}
}

// enterUserNamespace makes a user namespace and writes its maps.
func enterUserNamespace(r *run) error {
	r.makeDumpable()
	r.stub.Label("linux.namespaces: new user namespace")
	r.stub.Unshare(unix.CLONE_NEWUSER).Remedy(remedyUserNamespace)
	if err := r.flush(); err != nil {
		return err
	}
	maps := idmap.Maps{UIDs: r.cfg.UIDMappings, GIDs: r.cfg.GIDMappings}
	return maps.Write(r.ctx, r.child.Pid)
}

// remedyUserNamespace explains an errno of unshare(CLONE_NEWUSER).
func remedyUserNamespace(e unix.Errno) string {
	switch e {
	case unix.EPERM:
		if setting := probe.UserNamespacesDenied(); setting != "" {
			return "unprivileged user namespaces are denied by the sysctl " + setting
		}
		return "see the sysctls kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns; the kernel also denies it in a chroot"
	case unix.ENOSPC:
		return "see the sysctl user.max_user_namespaces; no more than 32 can be nested"
	case unix.EINVAL:
		return "the kernel is built without CONFIG_USER_NS"
	}
	return ""
}

// checkJoinedUser compares the mappings of a joined user namespace with config.json.
func checkJoinedUser(r *run) error {
	maps, err := idmap.Read(r.child.Pid)
	if err != nil {
		return err
	}
	r.maps = maps
	field, path := strings.TrimSuffix(r.plan.User.Field, ".path"), r.plan.User.Path
	for _, side := range []struct {
		field      string
		want, have idmap.Mapping
	}{{"linux.uidMappings", r.cfg.UIDMappings, maps.UIDs}, {"linux.gidMappings", r.cfg.GIDMappings, maps.GIDs}} {
		if _, ok := idmap.ToHost(side.have, 0); !ok {
			return config.FieldErrorf(field, "%q does not map container id 0, which sets up the container (%s)", path, idmap.String(side.have))
		}
		if len(side.want) != 0 && !idmap.Equal(side.want, side.have) {
			return config.FieldErrorf(side.field, "differs from the user namespace %q: %s (omit the mappings to join it)", path, idmap.String(side.have))
		}
	}
	return maps.CheckUser("process", &r.cfg.Process, "the %ss of "+field)
}

func becomeRoot(r *run) error {
	if !r.root {
		r.stub.Prctl(unix.PR_SET_DUMPABLE, 0)
	}
	r.stub.Setresgid(0)
	r.stub.Setresuid(0)
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 0) // the change of user set it to fs.suid_dumpable
	return nil
}
