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

// Enter queues the call that opens the root of a running container, which the
// stub has joined.
func Enter(child *stub.Child) *Tree {
	p := child.Proc
	return &Tree{p: p, child: child, added: new([]*stub.Stat), root: p.Openat(stub.Num(unix.AT_FDCWD), "/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)}
}

// Additions queues, while the stub still sees the host's file systems, the
// calls that make the bind mounts of the list. It returns the operations that
// mount the list after the stub has joined the container.
func Additions(p *stub.Proc, list []config.Mount) ([]Op, error) {
	return additions(list, func(op *mountOp) (mounts.Detached, error) {
		p.Label("%s", op)
		made := mounts.Make(p, asSlave(op.Mount))
		p.Label("")
		return made, nil
	})
}

// LockedAdditions is Additions for a container in a user namespace. maker, a
// stub in a mount namespace owned by that user namespace, makes the bind
// mounts, so that the kernel locks the host's mount flags; child, which then
// joins the container, gets their descriptors.
func LockedAdditions(maker, child *stub.Child, list []config.Mount) ([]Op, error) {
	return additions(list, func(op *mountOp) (mounts.Detached, error) {
		fd, err := op.passBind(maker, child)
		return mounts.Detached{FD: fd}, err
	})
}

// passBind makes a bind mount in maker and passes it to child. The runtime opens
// the source, since root of the user namespace may lack the permissions to
// reach it. For an unprivileged runtime, that root is the user itself.
func (m *mountOp) passBind(maker, child *stub.Child) (*stub.Value, error) {
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
	made := m.make(maker.Proc, asSlave(m.Mount), source)
	f, err := maker.Fetch(made.FD)
	maker.Label("")
	if err != nil {
		return nil, m.explainLocked(maker.Proc, err)
	}
	defer f.Close()
	return child.Pass(f)
}

// additions returns the operations that mount the list. It calls bind for each
// bind mount first.
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
			added.detached = made
		}
		plan[i] = added
	}
	return plan, nil
}

// asSlave returns m with a slave propagation first: the host's mounts below
// the source appear in the container, but the container's never on the host, as
// with the mounts of config.json (Isolate).
func asSlave(m *config.Mount) *config.Mount {
	s := *m
	s.Propagation = append([]uint64{unix.MS_SLAVE | unix.MS_REC}, m.Propagation...)
	return &s
}

// addable returns an error for mounts that are only possible in create.
func (m *mountOp) addable() error {
	switch {
	case m.Remount:
		return errors.New("remount is only for mounts of config.json")
	case m.CopySymlink:
		return errors.New("copy-symlink is only for mounts of config.json")
	case m.Type == "cgroup", m.Type == "cgroup2":
		return errors.New("a cgroup file system can only be mounted by create")
	case m.Destination == "/":
		return errors.New(`nothing can be mounted on "/" of an existing container`)
	case m.Bind && m.staged():
		return errors.New("bind mounts with idmap, or with options that only mount(2) supports, are only for config.json")
	}
	return nil
}

// addedMount is a mount in an existing container. Its checks run before it is
// attached, since a failed call does not end the container.
type addedMount struct {
	mountOp
	// detached is a bind mount, made where its source is visible.
	detached mounts.Detached
}

// Perform makes and attaches the mount.
func (a *addedMount) Perform(t *Tree) error {
	a.at = t.target(a.point(t))
	a.checkPlace(t)
	a.made = a.detached.FD
	a.checkProc(t)
	if err := t.p.Do(); err != nil {
		return err
	}
	made := a.detached
	if !a.Bind {
		made = mounts.Make(t.p, a.Mount)
	}
	a.attach(t, made, a.at)
	t.p.CloseFd(a.at)
	return t.p.Do()
}

// Added returns the IDs of the mounts that the stub was to attach. If the stub
// has ended, it may have attached them.
func (t *Tree) Added() []string {
	var ids []string
	for _, st := range *t.added {
		if id := st.MountID(); id != 0 {
			ids = append(ids, strconv.FormatUint(id, 10))
		}
	}
	return ids
}

// Detach unmounts, last first, the mounts that are attached in the stub's mount
// namespace. It finds them by ID, as the container may have moved them.
func (t *Tree) Detach(ids []string) error {
	if err := t.p.Do(); err != nil {
		return err
	}
	read := func() ([]mountinfo.Mount, error) { return mountinfo.Of(strconv.Itoa(t.child.Pid)) }
	return detachEach(ids, read, func(m mountinfo.Mount) error {
		fd, err := OpenMount(t.p, m)
		if err != nil {
			return err
		}
		t.p.CloseFd(fd)
		t.RemoveMount(m.Point)
		return t.p.Do()
	})
}

// detachEach calls detach for the mounts with these IDs, last first. It reads the list of all
// mounts once, and again after an error, as the container may have moved the mount since: to
// read it takes the longer the more mounts are in it.
func detachEach(ids []string, read func() ([]mountinfo.Mount, error), detach func(mountinfo.Mount) error) error {
	var known map[string]mountinfo.Mount
	find := func(id string, again bool) (m mountinfo.Mount, ok bool, err error) {
		if known == nil || again {
			list, err := read()
			if err != nil {
				return m, false, err
			}
			known = make(map[string]mountinfo.Mount, len(list))
			for _, m := range list {
				known[m.ID] = m
			}
		}
		m, ok = known[id]
		return m, ok, nil
	}
	for _, id := range slices.Backward(ids) {
		m, ok, err := find(id, false)
		if ok && err == nil {
			if err = detach(m); err == nil {
				continue
			}
			if m, ok, err = find(id, true); ok && err == nil {
				err = detach(m)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// RemoveMount queues the lazy unmount of a mount in a container that the stub
// has joined. Processes with files open in it keep them.
func (t *Tree) RemoveMount(destination string) {
	t.p.Label("unmount %q", destination)
	parent := t.p.OpenInRoot(t.root, path.Dir(destination), unix.O_PATH|unix.O_DIRECTORY)
	t.p.Fchdir(parent)
	t.p.CloseFd(parent)
	t.p.Umount2(path.Base(destination), unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	t.p.Label("")
}
