package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/libcontainer/config"
)

// setGroups queues setgroups(2). A user namespace that an unprivileged user has made, or one
// around the runtime (unshare -r), may deny it (user_namespaces(7)): the program then keeps
// the groups of that user.
func (r *run) setGroups() {
	gids := r.cfg.Process.AdditionalGIDs
	r.stub.Label("process.user.additionalGids")
	set := r.stub.Setgroups(gids).Checked() // groupsError judges EPERM
	r.stub.Label("")                        // groupsError names the field
	r.stub.Check(func() error { return r.groupsError(set.Err(), gids) })
}

// groupsError returns the error for a failed setgroups(2); nil if it may be ignored.
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

// forgetGroups drops the runtime's supplementary groups before the stub joins a user
// namespace. If that namespace denies setgroups(2), the program would keep them; the
// container's root can cause this by moving init into a nested user namespace. An
// unprivileged runtime may not drop groups, and has only its user's own.
func (r *run) forgetGroups() {
	if !hasUserNamespace(r.cfg) || r.cfg.KeepGroups {
		return
	}
	r.stub.Setgroups(nil).MayFail(unix.EPERM) // an unprivileged user
}
