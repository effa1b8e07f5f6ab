package rootfs

import (
	"errors"
	"path"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Enter queues the opening of the root of a container that exists: the stub has
// joined it, and has it as "/".
func Enter(child *stub.Child) *Tree {
	p := child.Proc
	return &Tree{p: p, child: child, added: new([]*stub.Stat), root: p.Openat(stub.Num(unix.AT_FDCWD), "/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)}
}

// Additions queues, while the stub sees the host's file systems, the making of
// what is bound of them, and gives the operations that mount the list in the
// container that it is then to join.
func Additions(p *stub.Proc, list []config.Mount) ([]Op, error) {
	return additions(list, func(op *mountOp) (mounts.Detached, error) {
		p.Label("%s", op)
		made := mounts.Make(p, enslaved(op.Mount))
		p.Label("")
		return made, nil
	})
}

// LockedAdditions is Additions for a container in a user namespace: what is bound
// is made by a stub in a mount namespace that it owns, and given to the one that
// is then to join the container.
func LockedAdditions(maker, child *stub.Child, list []config.Mount) ([]Op, error) {
	return additions(list, func(op *mountOp) (mounts.Detached, error) {
		fd, err := op.bring(maker, child)
		return mounts.Detached{FD: fd}, err
	})
}

// bring makes a bind mount by one stub and gives it to another. The source is
// opened by the runtime: the user namespace's root need not be able to reach it.
// An unprivileged runtime's root there is the user himself.
func (m *mountOp) bring(maker, child *stub.Child) (*stub.Value, error) {
	if err := maker.Do(); err != nil {
		return nil, err
	}
	var source *stub.Value
	if f, err := m.openSource(maker.Pid); err == nil {
		defer f.Close()
		if source, err = maker.Pass(f); err != nil {
			return nil, err
		}
	}
	maker.Label("%s", m)
	made := m.make(maker.Proc, enslaved(m.Mount), source)
	f, err := maker.Fetch(made.FD)
	maker.Label("")
	if err != nil {
		return nil, m.explainLocked(maker.Proc, err)
	}
	defer f.Close()
	return child.Pass(f)
}

// additions gives the operations that mount the list, what is bound being made
// beforehand.
func additions(list []config.Mount, bind func(*mountOp) (mounts.Detached, error)) ([]Op, error) {
	plan := make([]Op, len(list))
	for i := range list {
		op := mountOp{Mount: &list[i]}
		if err := op.addable(); err != nil {
			return nil, &config.FieldError{Field: op.Field, Err: err}
		}
		if op.staged() {
			plan[i] = mountOrStaged(&op)
			continue
		}
		added := &addedMount{mountOp: op}
		if op.Bind {
			made, err := bind(&op)
			if err != nil {
				return nil, err
			}
			added.brought = made
		}
		plan[i] = added
	}
	return plan, nil
}

// enslaved gives m with a first propagation that is the host's no more: what the
// host mounts at the source appears in the container, but what is mounted in
// the container never on the host, as with the mounts of config.json (Isolate).
func enslaved(m *config.Mount) *config.Mount {
	s := *m
	s.Propagation = append([]uint64{unix.MS_SLAVE | unix.MS_REC}, m.Propagation...)
	return &s
}

// addable tells what only a container that is being made can have.
func (m *mountOp) addable() error {
	switch {
	case m.Remount:
		return errors.New("remount is for the mounts of config.json")
	case m.CopySymlink:
		return errors.New("copy-symlink is for the mounts of config.json")
	case m.Type == "cgroup", m.Type == "cgroup2":
		return errors.New("a cgroup file system can be mounted when a container is made, not later")
	case m.Destination == "/":
		return errors.New(`nothing can be mounted on "/" of a container that exists`)
	case m.Bind && m.staged():
		return errors.New("idmap, and options that mount(2) alone knows, are for bind mounts of config.json")
	}
	return nil
}

// addedMount is a mount in a container that exists. Its place is judged before it
// is attached there: the container, and what is mounted in it, stays.
type addedMount struct {
	mountOp
	// brought is a bind mount, made where its source can be seen.
	brought mounts.Detached
}

// Perform makes and attaches it.
func (a *addedMount) Perform(t *Tree) error {
	a.at = t.target(a.point(t))
	a.checkPlace(t)
	a.made = a.brought.FD
	a.checkProc(t)
	if err := t.p.Do(); err != nil {
		return err
	}
	made := a.brought
	if !a.Bind {
		made = mounts.Make(t.p, a.Mount)
	}
	a.attach(t, made, a.at)
	t.p.CloseFd(a.at)
	return t.p.Do()
}

// Added returns the IDs of the mounts that were to be attached, also when the stub
// has ended meanwhile: it may have attached them.
func (t *Tree) Added() []string {
	var ids []string
	for _, st := range *t.added {
		if id := st.MountID(); id != 0 {
			ids = append(ids, strconv.FormatUint(id, 10))
		}
	}
	return ids
}

// Detach unmounts, last first, those mounts of a list that are attached in the
// mount namespace of the stub. The container may have moved them: they are found
// by their IDs.
func (t *Tree) Detach(ids []string) error {
	if err := t.p.Do(); err != nil {
		return err
	}
	for _, id := range slices.Backward(ids) {
		list, err := mountinfo.Of(strconv.Itoa(t.child.Pid))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(m mountinfo.Mount) bool { return m.ID == id })
		if i < 0 {
			continue
		}
		fd, err := OpenMount(t.p, list[i])
		if err != nil {
			return err
		}
		t.p.CloseFd(fd)
		t.RemoveMount(list[i].Point)
		if err := t.p.Do(); err != nil {
			return err
		}
	}
	return nil
}

// RemoveMount queues what takes a mount out of a container that the stub has
// joined. What still uses it keeps it.
func (t *Tree) RemoveMount(destination string) {
	t.p.Label("unmount %q", destination)
	parent := t.p.OpenInRoot(t.root, path.Dir(destination), unix.O_PATH|unix.O_DIRECTORY)
	t.p.Fchdir(parent)
	t.p.CloseFd(parent)
	t.p.Umount2(path.Base(destination), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	t.p.Label("")
}
