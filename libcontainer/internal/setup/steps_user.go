package setup

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
)

// The steps into a user and a time namespace.

func enterRootDirectory(r *run) error {
	r.stub.Label("root.path: %q", r.cfg.Rootfs)
	r.stub.Chdir(r.cfg.Rootfs)
	return nil
}

// dumpable lets an unprivileged runtime write to the stub's files in /proc,
// which otherwise belong to root. becomeRoot reverses it.
func (r *run) dumpable() {
	if !r.root {
		r.stub.Prctl(unix.PR_SET_DUMPABLE, 1)
	}
}

// enterUserNamespace makes a user namespace with its maps.
func enterUserNamespace(r *run) error {
	r.dumpable()
	r.stub.Label("linux.namespaces: new user namespace")
	r.stub.Unshare(unix.CLONE_NEWUSER).Remedy(remedyUserNamespace)
	if err := r.flush(); err != nil {
		return err
	}
	maps := idmap.Maps{UIDs: r.cfg.UIDMappings, GIDs: r.cfg.GIDMappings}
	return maps.Write(r.ctx, r.child.Pid)
}

// remedyUserNamespace says what an administrator can have forbidden.
func remedyUserNamespace(e unix.Errno) string {
	switch e {
	case unix.EPERM:
		if setting := probe.UserNamespacesDenied(); setting != "" {
			return "unprivileged user namespaces are denied by the sysctl " + setting
		}
		return "see the sysctls kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns; it is denied in a chroot, too"
	case unix.ENOSPC:
		return "see the sysctl user.max_user_namespaces; no more than 32 can be nested"
	case unix.EINVAL:
		return "the kernel is built without CONFIG_USER_NS"
	}
	return ""
}

// checkJoinedUser checks what config.json says of the IDs in a user namespace
// that was joined.
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
			return config.FieldErrorf(field, "%q maps no container id 0: the container is set up by its root (%s)", path, idmap.String(side.have))
		}
		if len(side.want) != 0 && !idmap.Equal(side.want, side.have) {
			return config.FieldErrorf(side.field, "not what the user namespace %q has: %s (leave the mappings out to join it)", path, idmap.String(side.have))
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
	r.stub.Prctl(unix.PR_SET_DUMPABLE, 0) // as fs.suid_dumpable has it now, a change of user having reset it
	return nil
}
