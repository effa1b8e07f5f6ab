package libcontainer

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/idmap"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// The steps into a user and a time namespace.

func enterRootDirectory(r *run) error {
	r.p.Label("root.path: %q", r.cfg.Rootfs)
	r.p.Chdir(r.cfg.Rootfs)
	return nil
}

// dumpable lets an unprivileged runtime write to the stub's files in /proc,
// which otherwise are root's. becomeRoot takes it back.
func (r *run) dumpable() {
	if r.unprivileged {
		r.p.Prctl(unix.PR_SET_DUMPABLE, 1)
	}
}

// enterUserNamespace makes a user namespace with its maps, or finds out about
// the one that was joined.
func enterUserNamespace(r *run) error {
	if r.plan.User != nil {
		return r.joinedUserNamespace()
	}
	r.dumpable()
	r.p.Label("linux.namespaces: new user namespace")
	r.p.Unshare(unix.CLONE_NEWUSER).Remedy(remedyUserNamespace)
	if err := r.flush(); err != nil {
		return err
	}
	maps := idmap.Maps{UIDs: r.cfg.UIDMappings, GIDs: r.cfg.GIDMappings}
	if err := maps.Write(r.ctx, r.child.Pid); err != nil {
		return err
	}
	return r.askGroups()
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

// joinedUserNamespace checks what config.json says of the ids in a user
// namespace that was joined.
func (r *run) joinedUserNamespace() error {
	maps, err := idmap.Read(r.child.Pid)
	if err != nil {
		return err
	}
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
	if err := maps.CheckUser("process", &r.cfg.Process, "the %ss of "+field); err != nil {
		return err
	}
	if err := ownStdio(r); err != nil {
		return err
	}
	return r.askGroups()
}

// askGroups finds out whether setgroups(2) is denied, for dropPrivileges: the
// groups of an unprivileged user stay then.
func (r *run) askGroups() (err error) {
	r.noGroups, err = idmap.GroupsDenied(r.c.state.Pid)
	if err == nil && r.noGroups && !r.cfg.KeepGroups && len(r.cfg.Process.AdditionalGIDs) > 0 {
		err = &config.FieldError{Field: "process.user.additionalGids", Err: errors.New("setgroups is denied in the user namespace, as it is of an unprivileged user with one group (map a range that /etc/subgid grants)")}
	}
	return err
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
	r.p.Setgroups(nil).MayFail(unix.EPERM) // an unprivileged user
}

// setClocks makes a time namespace, which the stub's children are in, and sets
// its clocks. Without offsets they are the runtime's.
func setClocks(r *run) error {
	r.dumpable()
	r.p.Label("linux.namespaces: new time namespace")
	r.p.Unshare(unix.CLONE_NEWTIME)
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
	if r.unprivileged {
		r.p.Prctl(unix.PR_SET_DUMPABLE, 0)
	}
	r.p.Setresgid(0)
	r.p.Setresuid(0)
	r.p.Prctl(unix.PR_SET_DUMPABLE, 0) // as fs.suid_dumpable has it now, a change of user having reset it
	// What the runtime may not give away, the namespace's root may, if it is
	// one of its users' own.
	for _, fd := range r.notOwned {
		r.p.Fchownat(stub.Num(fd), "", int(r.cfg.Process.UID), -1, unix.AT_EMPTY_PATH).MayFail(unix.EPERM, unix.EROFS) // the program can use the descriptor still
	}
	return nil
}

// hostUID gives what a user of the container's is on the host.
func (r *run) hostUID(uid uint32) (uint32, error) {
	if !hasUserNamespace(r.cfg) {
		return uid, nil
	}
	maps, err := r.maps()
	if err != nil {
		return 0, err
	}
	id, ok := idmap.ToHost(maps.UIDs, uid)
	if !ok {
		return 0, fmt.Errorf("user %d is not mapped (%s)", uid, idmap.String(maps.UIDs))
	}
	return id, nil
}

// maps gives the mappings of the container's user namespace.
func (r *run) maps() (idmap.Maps, error) {
	if len(r.cfg.UIDMappings) == 0 {
		return idmap.Read(r.c.state.Pid)
	}
	return idmap.Maps{UIDs: r.cfg.UIDMappings, GIDs: r.cfg.GIDMappings}, nil
}

// checkUser says so when a process that is to be executed in the container
// has ids that are not mapped there.
func (r *run) checkUser() error {
	if !hasUserNamespace(r.cfg) {
		return nil
	}
	maps, err := r.maps()
	if err != nil {
		return err
	}
	if err := maps.CheckUser("process", &r.cfg.Process, "the container's %ss"); err != nil {
		return err
	}
	return r.askGroups()
}

// delegatesCgroup tells whether the container is to own its cgroup: one that
// it sees as root, mounted for writing (config-linux.md, Cgroup ownership).
func delegatesCgroup(c *config.Config) bool {
	if c.Namespaces.New&unix.CLONE_NEWCGROUP == 0 {
		return false
	}
	for i := range c.Mounts {
		m := &c.Mounts[i]
		if m.Destination == "/sys/fs/cgroup" && (m.Type == "cgroup" || m.Type == "cgroup2") && m.Attr.Set&unix.MOUNT_ATTR_RDONLY == 0 {
			return true
		}
	}
	return false
}

// giveCgroup makes the program's user the owner of the v2 cgroup; one of v1
// cannot be given away safely, nor is that of v2 beside it (config-linux.md,
// Cgroup ownership).
func giveCgroup(r *run) error {
	paths := r.c.state.Cgroups
	if len(paths) != 1 || paths[""] == "" {
		return nil
	}
	uid, err := r.hostUID(r.cfg.Process.UID)
	if err != nil {
		return err
	}
	return cgroups.Delegate(r.cgroup, int(uid))
}
