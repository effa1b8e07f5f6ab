package rootfs

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// protected queues the open of a path that must be masked or read-only.
func (t *Tree) protected(path string) *stub.Value {
	// A path that does not exist needs no protection.
	return t.open(path, 0).MayFail(unix.ENOENT, unix.ENOTDIR)
}

// readonlyOp covers a path with a read-only clone of itself.
type readonlyOp string

func (r readonlyOp) String() string { return fmt.Sprintf("linux.readonlyPaths: %q", string(r)) }

func (r readonlyOp) Apply(t *Tree) {
	at := t.protected(string(r))
	clone := mounts.Clone(t.p, at)
	t.p.MountSetattr(clone, 0, unix.MOUNT_ATTR_RDONLY, 0, 0)
	t.p.MoveMount(clone, at)
	t.p.CloseFd(clone)
	t.p.CloseFd(at)
}

// maskOp hides a path in two steps, since its cover depends on its type: Apply
// opens the path, cover mounts over it.
type maskOp struct {
	path string
	at   *stub.Value
	stat *stub.Stat
}

func (m *maskOp) String() string { return fmt.Sprintf("linux.maskedPaths: %q", m.path) }

func (m *maskOp) Apply(t *Tree) {
	m.at = t.protected(m.path)
	m.stat, _ = t.p.Statx(m.at, "", unix.AT_EMPTY_PATH)
}

// maskedAtOnce limits how many masked paths are open at a time: RLIMIT_NOFILE
// may be low, and engines mask a path for each CPU.
const maskedAtOnce = 100

// Protect makes paths read-only and masks others; a path in both lists is
// masked. It must run before Pivot, because the kernel only clones mounts of
// the caller's mount namespace. The last calls stay queued.
func (t *Tree) Protect(readonly, masked []string) error {
	plan := make([]Op, 0, len(readonly)+min(len(masked), maskedAtOnce))
	for _, p := range readonly {
		plan = append(plan, readonlyOp(p))
	}
	var empty *stub.Value
	for some := range slices.Chunk(masked, maskedAtOnce) {
		masks := make([]*maskOp, len(some))
		for i, p := range some {
			masks[i] = &maskOp{path: p}
			plan = append(plan, masks[i])
		}
		if err := t.Run(plan); err != nil {
			return err
		}
		for _, m := range masks {
			empty = m.cover(t, empty)
		}
		plan = plan[:0]
	}
	if empty != nil {
		t.p.CloseFd(empty)
	}
	return t.Run(plan)
}

// cover queues the mount over a path: a read-only empty directory on a
// directory, the host's /dev/null on any other file. The first such directory,
// empty, is cloned for the next ones.
func (m *maskOp) cover(t *Tree, empty *stub.Value) *stub.Value {
	if m.at.Err() != nil {
		return empty
	}
	t.p.Label("%s", m)
	var cover *stub.Value
	switch {
	case m.stat.Mode()&unix.S_IFMT != unix.S_IFDIR:
		cover = mounts.Clone(t.p, t.null)
		if t.at != nil { // mounts on it would appear on the host's
			t.p.MountSetattr(cover, 0, 0, 0, unix.MS_PRIVATE)
		}
	case empty == nil: // attached first, then cloned: see Protect
		empty = mounts.EmptyDir(t.p)
		cover = empty
	default:
		cover = mounts.Clone(t.p, empty)
	}
	t.p.MoveMount(cover, m.at)
	if cover != empty {
		t.p.CloseFd(cover)
	}
	t.p.CloseFd(m.at)
	t.p.Label("")
	return empty
}
