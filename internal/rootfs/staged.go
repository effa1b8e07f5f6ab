package rootfs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/copyup"
	"github.com/berth-oci/berth/internal/mounts"
)

// stagedMount is a mount that is made in several steps, as what comes next
// depends on what is there, or this process has to do a part of it.
type stagedMount struct {
	mountOp
	// old says that it is made by mount(2), because of an error or of its
	// options.
	old     bool
	because error
	// inherited says that the options are complete: what is there when the
	// mount is tried once more may have been made for it.
	inherited bool
}

// staged reports whether a mount needs to be made in steps.
func (m *mountOp) staged() bool {
	return m.Destination == "/" || m.CopyUp || m.IDMap != nil || m.inheritsMode() || mounts.NeedsOld(m.Mount)
}

// inheritsMode reports whether the mode of the mount point is taken over: a
// tmpfs is writable by everybody unless somebody says otherwise, and here the
// image does.
func (m *mountOp) inheritsMode() bool { return m.Type == "tmpfs" && !m.says("mode") }

// says reports whether one of the file system's own options is there.
func (m *mountOp) says(key string) bool {
	return slices.ContainsFunc(m.Data, func(d string) bool { return strings.HasPrefix(d, key+"=") })
}

// Perform makes the mount.
func (s *stagedMount) Perform(t *Tree) error {
	if err := s.inherit(t); err != nil {
		return err
	}
	s.at = t.root
	if s.Destination != "/" {
		s.at = t.target(s.point(t))
		s.checkPlace(t)
	}
	made, err := s.make(t)
	if err != nil {
		return err
	}
	if err := s.fill(t, made); err != nil {
		return err
	}
	if err := s.mapOwners(t, made); err != nil {
		return err
	}
	if s.Destination == "/" {
		s.replaceRoot(t, made)
		return t.p.Do()
	}
	s.attach(t, made, s.at)
	t.p.CloseFd(s.at)
	return t.p.Do()
}

// inherit completes the options with what the mount point is like, if there is
// one already.
func (s *stagedMount) inherit(t *Tree) error {
	if s.inherited || !s.CopyUp && !s.inheritsMode() {
		return nil
	}
	s.inherited = true
	there := t.open(s.Destination, 0).MayFail(unix.ENOENT) // the mount point is made later
	st, _ := t.p.Statx(there, "", unix.AT_EMPTY_PATH)
	t.p.CloseFd(there)
	if err := t.p.Do(); err != nil || there.Err() != nil {
		return err
	}
	m := *s.Mount
	m.Data = slices.Clone(m.Data)
	if !s.says("mode") {
		m.Data = append(m.Data, fmt.Sprintf("mode=%o", st.Mode()&0o7777))
	}
	if s.CopyUp && !s.says("uid") {
		m.Data = append(m.Data, fmt.Sprintf("uid=%d", st.UID()))
	}
	if s.CopyUp && !s.says("gid") {
		m.Data = append(m.Data, fmt.Sprintf("gid=%d", st.GID()))
	}
	s.Mount = &m
	return nil
}

// make makes the mount, detached, and writable as long as something is to be
// put into it.
func (s *stagedMount) make(t *Tree) (mounts.Detached, error) {
	m := *s.Mount
	if s.CopyUp {
		m.Attr.Set &^= unix.MOUNT_ATTR_RDONLY
		m.Flags = slices.DeleteFunc(slices.Clone(m.Flags), func(f string) bool { return f == "ro" })
	}
	if !s.old {
		made := mounts.MakeFrom(t.p, &m, s.source)
		s.fs, s.made = made.FS, made.FD
		return made, t.p.Do()
	}
	made, err := mounts.MakeOld(t.p, &m, s.at)
	if err == nil {
		err = t.p.Do()
	}
	if s.because != nil && err != nil {
		err = s.because
	}
	return made, err
}

// fill copies what the mount will cover into it.
func (s *stagedMount) fill(t *Tree, made mounts.Detached) error {
	if !s.CopyUp {
		return nil
	}
	if err := copyup.Copy(t.p, s.at, made.FD); err != nil {
		return fmt.Errorf("%s: tmpcopyup: %w", s, err)
	}
	t.p.Label("%s", s)
	if s.Attr.Set&unix.MOUNT_ATTR_RDONLY != 0 {
		mounts.MakeReadonly(t.p, made)
	}
	return nil
}

// replaceRoot queues the attachment of a mount on "/": from here on it is the
// root. It is private, so that what is mounted in it stays here: bound from a
// mount of the host's it could be shared.
func (s *stagedMount) replaceRoot(t *Tree, made mounts.Detached) {
	if len(s.Propagation) == 0 {
		t.p.MountSetattr(made.FD, unix.AT_RECURSIVE, 0, 0, unix.MS_PRIVATE)
	}
	t.p.MoveMount(made.FD, t.root)
	t.p.CloseFd(t.root)
	t.root, t.held = made.FD, nil
}

// explain keeps what an earlier failure was.
func (s *stagedMount) explain(t *Tree, err error) error {
	if s.because != nil && errors.Is(err, s.because) {
		return err
	}
	return s.mountOp.explain(t, err)
}

// instead is as for other mounts, once.
func (s *stagedMount) instead(err error) Op {
	if s.old {
		return nil
	}
	return s.mountOp.instead(err)
}

// way is that of the mount; the root needs none.
func (s *stagedMount) way(t *Tree) error { return s.mountOp.way(t) }
