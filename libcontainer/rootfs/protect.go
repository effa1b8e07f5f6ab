package rootfs

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/mounts"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// absent reports whether err says that a path is not there: protecting it is
// not needed then.
func absent(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)
}

// readonlyOp covers a path with a read-only clone of itself.
type readonlyOp string

func (r readonlyOp) String() string { return fmt.Sprintf("linux.readonlyPaths: %q", string(r)) }

func (r readonlyOp) Apply(t *Tree) {
	at := t.open(string(r), 0).MayFail()
	clone := mounts.Clone(t.p, at).MayFail()
	set := t.p.MountSetattr(clone, 0, unix.MOUNT_ATTR_RDONLY, 0, 0).MayFail()
	move := t.p.MoveMount(clone, at).MayFail()
	t.p.CloseFd(clone).MayFail()
	t.p.CloseFd(at).MayFail()
	t.judgeLater(r, func() error {
		if absent(at.Err()) {
			return nil
		}
		return errors.Join(at.Err(), clone.Err(), set.Err(), move.Err())
	})
}

// ReadonlyPaths gives the operations for linux.readonlyPaths.
func ReadonlyPaths(paths []string) []Op {
	plan := make([]Op, len(paths))
	for i, p := range paths {
		plan[i] = readonlyOp(p)
	}
	return plan
}

// maskOp hides a path. It takes two steps, as what hides it depends on what it
// is: Apply opens it, cover covers it.
type maskOp struct {
	path string
	at   *stub.Value
	stat *stub.Stat
}

func (m *maskOp) String() string { return fmt.Sprintf("linux.maskedPaths: %q", m.path) }

func (m *maskOp) Apply(t *Tree) {
	m.at = t.open(m.path, 0).MayFail()
	var v *stub.Value
	m.stat, v = t.p.Statx(m.at, "", unix.AT_EMPTY_PATH)
	v.MayFail()
	t.judgeLater(m, func() error {
		if absent(m.at.Err()) {
			return nil
		}
		return errors.Join(m.at.Err(), v.Err())
	})
}

// Masks are the masked paths of a container.
type Masks []*maskOp

// MaskedPaths gives the operations that find linux.maskedPaths. Readonly paths
// come before them: a path that is both is masked then.
func MaskedPaths(paths []string) (Masks, []Op) {
	masks, plan := make(Masks, len(paths)), make([]Op, len(paths))
	for i, p := range paths {
		masks[i] = &maskOp{path: p}
		plan[i] = masks[i]
	}
	return masks, plan
}

// Cover queues the hiding of the masked paths: directories below one empty
// directory that cannot be written to, everything else below /dev/null. Both
// are the host's or new, so it must come before Pivot: the kernel clones only
// what is mounted in the caller's own tree.
func (masks Masks) Cover(t *Tree) {
	var empty *stub.Value
	for _, m := range masks {
		if m.at.Err() != nil {
			continue
		}
		t.p.Label("%s", m)
		var cover *stub.Value
		switch {
		case m.stat.Mode()&unix.S_IFMT != unix.S_IFDIR:
			cover = mounts.Clone(t.p, t.null)
		case empty == nil: // attached first, then cloned: see above
			empty = mounts.EmptyDir(t.p)
			cover = empty
		default:
			cover = mounts.Clone(t.p, empty)
		}
		t.p.MoveMount(cover, m.at)
		t.p.CloseFd(m.at)
	}
	t.p.Label("")
}
