package setup

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/cgroups"
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

// checkGroups finds out whether setgroups(2) is denied in the user namespace of
// the stub: the groups of an unprivileged user stay then.
func checkGroups(r *run) error { return r.askGroups(r.child.Pid) }

// checkContainersGroups is checkGroups for what joins the user namespace of init.
func checkContainersGroups(r *run) error { return r.askGroups(r.state.Pid) }

func (r *run) askGroups(pid int) (err error) {
	r.noGroups, err = idmap.GroupsDenied(pid)
	if err == nil && r.noGroups && !r.cfg.KeepGroups && len(r.cfg.Process.AdditionalGIDs) > 0 {
		err = &config.FieldError{Field: "process.user.additionalGids", Err: errors.New("setgroups is denied in the user namespace, as it is of an unprivileged user with one group (map a range that /etc/subgid grants)")}
	}
	return err
}

// setGroups queues setgroups(2). It is denied, too, in a user namespace of one
// group that the runtime itself is in (unshare -r, user_namespaces(7)): the program
// keeps the runtime's groups then.
func (r *run) setGroups() {
	gids := r.cfg.Process.AdditionalGIDs
	r.stub.Label("process.user.additionalGids")
	set := r.stub.Setgroups(gids).Checked() // EPERM is accepted if it is for this reason
	r.stub.Label("")                        // groupsError names the field
	r.stub.Check(func() error { return r.groupsError(set.Err(), gids) })
}

// groupsError returns what the answer to setgroups(2) means.
func (r *run) groupsError(err error, gids []uint32) error {
	const field = "process.user.additionalGids"
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, unix.EPERM):
		return config.FieldErrorf(field, "setgroups: %w", err)
	}
	denied, e := idmap.GroupsDenied(r.child.Pid)
	switch {
	case e != nil:
		return errors.Join(err, e)
	case !denied:
		return config.FieldErrorf(field, "setgroups: %w (needs CAP_SETGID in the user namespace)", err)
	case len(gids) > 0:
		return config.FieldErrorf(field, "setgroups is denied in the user namespace, as it is of an unprivileged user with one group (map a range that /etc/subgid grants)")
	}
	return nil
}

// forgetGroups takes the runtime's supplementary groups from a stub that is to
// join a user namespace, while it may still be done: where setgroups(2) is
// denied they would be the program's, and the container's root has it denied
// when he puts the first process into a user namespace below the container's.
// Who may not set groups even here is an unprivileged user, with his own.
func (r *run) forgetGroups() {
	if !hasUserNamespace(r.cfg) || r.cfg.KeepGroups {
		return
	}
	r.stub.Setgroups(nil).MayFail(unix.EPERM) // an unprivileged user
}

// setClocks makes a time namespace, which the stub's children are in, and sets
// its clocks. Without offsets they are the runtime's.
func setClocks(r *run) error {
	r.dumpable()
	r.stub.Label("linux.namespaces: new time namespace")
	r.stub.Unshare(unix.CLONE_NEWTIME)
	if err := r.flush(); err != nil || len(r.cfg.TimeOffsets) == 0 {
		return err
	}
	var text strings.Builder
	for _, o := range r.cfg.TimeOffsets {
		fmt.Fprintf(&text, "%s %d %d\n", o.Clock, o.Secs, o.Nanosecs)
	}
	path := fmt.Sprintf("/proc/%d/timens_offsets", r.child.Pid)
	err := os.WriteFile(path, []byte(text.String()), 0)
	switch {
	case errors.Is(err, unix.ERANGE):
		err = fmt.Errorf("%w (no clock can be set to before the boot, or 146 years after it)", err)
		fallthrough
	case err != nil:
		return &config.FieldError{Field: "linux.timeOffsets", Err: err}
	}
	return nil
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

// takeMappings takes the mappings of config.json. There are none without a user
// namespace.
func takeMappings(r *run) error {
	r.maps = idmap.Maps{UIDs: r.cfg.UIDMappings, GIDs: r.cfg.GIDMappings}
	return nil
}

// readMappings finds out how the user namespace that the container has joined
// maps IDs.
func readMappings(r *run) (err error) {
	r.maps, err = idmap.Read(r.state.Pid)
	return err
}

// hostUID returns the ID that a user of the container has on the host.
func (r *run) hostUID(uid uint32) (uint32, error) {
	if !hasUserNamespace(r.cfg) {
		return uid, nil
	}
	id, ok := idmap.ToHost(r.maps.UIDs, uid)
	if !ok {
		return 0, fmt.Errorf("user %d is not mapped (%s)", uid, idmap.String(r.maps.UIDs))
	}
	return id, nil
}

// checkUser refuses a process whose IDs the container does not map.
func checkUser(r *run) error {
	return r.maps.CheckUser("process", &r.cfg.Process, "the container's %ss")
}

// chownCgroup makes the program's user the owner of the v2 cgroup; one of v1
// cannot be given away safely, nor is that of v2 beside it (config-linux.md,
// Cgroup ownership).
func chownCgroup(r *run) error {
	paths := r.state.Cgroups
	if len(paths) != 1 || paths[""] == "" {
		return nil
	}
	uid, err := r.hostUID(r.cfg.Process.UID)
	if err != nil {
		return err
	}
	return cgroups.Delegate(r.cgroup, int(uid))
}
