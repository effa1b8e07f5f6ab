package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/libcontainer/config"
)

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
