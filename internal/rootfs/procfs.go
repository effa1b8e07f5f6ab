package rootfs

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// errInProc refuses a destination that resolves to a place in /proc, which
// specconv cannot see in its path.
var errInProc = errors.New("the destination is in /proc, through a symbolic link or an earlier mount")

// errNoProc refuses a bind mount on /proc.
var errNoProc = errors.New("the source is not a procfs: nothing else may be mounted on /proc")

// checkPlace queues a check that the mount point is not in a procfs, unless the
// destination is /proc or in it.
func (m *mountOp) checkPlace(t *Tree) {
	if m.Destination == "/proc" || strings.HasPrefix(m.Destination, "/proc/") {
		return // checked by specconv
	}
	st, _ := t.p.Fstatfs(m.at)
	t.p.Check(func() error {
		if st.Type() == unix.PROC_SUPER_MAGIC {
			return errInProc
		}
		return nil
	})
}

// checkProc queues a check that a bind mount on /proc is a procfs.
func (m *mountOp) checkProc(t *Tree) {
	if m.Destination != "/proc" || !m.Bind {
		return
	}
	st, _ := t.p.Fstatfs(m.made)
	t.p.Check(func() error {
		if st.Type() != unix.PROC_SUPER_MAGIC {
			return errNoProc
		}
		return nil
	})
}
