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

// stagedMount is a mount made in several steps, because a step depends on
// results of the one before, or runs in the runtime.
type stagedMount struct {
	mountOp
	// old selects mount(2), because of the options or of an error, in cause.
	old   bool
	cause error
	// inherited reports that inherit has run. It must not run again for a
	// retry: the mount point may be one that berth has made since.
	inherited bool
}

// staged reports whether a mount must be made in steps.
func (m *mountOp) staged() bool {
	return m.Destination == "/" || m.CopyUp || m.IDMap != nil || m.inheritsMode() || mounts.NeedsOld(m.Mount)
}

// inheritsMode reports whether a tmpfs takes over the mode of its mount point
// in the image: the kernel's default would make it writable for all users.
func (m *mountOp) inheritsMode() bool { return m.Type == "tmpfs" && !m.hasOption("mode") }

// hasOption reports whether the file system options contain key.
func (m *mountOp) hasOption(key string) bool {
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

// inherit adds the mode and owner of an existing mount point to the options.
func (s *stagedMount) inherit(t *Tree) error {
	if s.inherited || !s.CopyUp && !s.inheritsMode() {
		return nil
	}
	s.inherited = true
	there := t.open(s.Destination, 0).MayFail(unix.ENOENT) // made later
	st, _ := t.p.Statx(there, "", unix.AT_EMPTY_PATH)
	t.p.CloseFd(there)
	if err := t.p.Do(); err != nil || there.Err() != nil {
		return err
	}
	m := *s.Mount
	m.Data = slices.Clone(m.Data)
	if !s.hasOption("mode") {
		m.Data = append(m.Data, fmt.Sprintf("mode=%o", st.Mode()&0o7777))
	}
	if s.CopyUp && !s.hasOption("uid") {
		m.Data = append(m.Data, fmt.Sprintf("uid=%d", st.UID()))
	}
	if s.CopyUp && !s.hasOption("gid") {
		m.Data = append(m.Data, fmt.Sprintf("gid=%d", st.GID()))
	}
	s.Mount = &m
	return nil
}

// make makes the detached mount. It is writable if fill must copy into it.
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
	if s.cause != nil && err != nil {
		err = s.cause
	}
	return made, err
}

// fill copies the content that the mount will cover (tmpcopyup).
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

// replaceRoot queues the attachment of a mount on "/", which becomes the root.
// It is made private so that mounts in it do not propagate: a bind mount from
// the host could be shared.
func (s *stagedMount) replaceRoot(t *Tree, made mounts.Detached) {
	if len(s.Propagation) == 0 {
		t.p.MountSetattr(made.FD, unix.AT_RECURSIVE, 0, 0, unix.MS_PRIVATE)
	}
	t.p.MoveMount(made.FD, t.root)
	t.p.CloseFd(t.root)
	t.root, t.held = made.FD, nil
}

// explain returns an earlier failure unchanged.
func (s *stagedMount) explain(t *Tree, err error) error {
	if s.cause != nil && errors.Is(err, s.cause) {
		return err
	}
	return s.mountOp.explain(t, err)
}

// fallback is that of mountOp, but only once.
func (s *stagedMount) fallback(err error) Op {
	if s.old {
		return nil
	}
	return s.mountOp.fallback(err)
}

// makePath is that of mountOp. The root always exists.
func (s *stagedMount) makePath(t *Tree) error { return s.mountOp.makePath(t) }
