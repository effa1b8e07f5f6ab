package rootfs

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// errInProc refuses a destination by what it leads to, where its words, which
// specconv has judged, do not tell.
var errInProc = errors.New("the destination leads to a place in /proc, by a symbolic link or an earlier mount")

// errNoProc refuses what is bound on /proc.
var errNoProc = errors.New("the source is no procfs: nothing else may be mounted on /proc")

// checkPlace queues the check that a mount does not come to lie in a procfs,
// unless its destination says that it does.
func (m *mountOp) checkPlace(t *Tree) {
	if m.Destination == "/proc" || strings.HasPrefix(m.Destination, "/proc/") {
		return // in the list of what may be there
	}
	st, _ := t.p.Fstatfs(m.at)
	t.p.Check(func() error {
		if st.Type() == unix.PROC_SUPER_MAGIC {
			return errInProc
		}
		return nil
	})
}

// checkProc queues the check that what is bound on /proc is a procfs.
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
