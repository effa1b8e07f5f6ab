package children

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// childInfo is a siginfo_t of waitid(2), as long as unix.Siginfo.
type childInfo struct {
	_ [3]int32
	_ [0]uintptr // aligns the kernel's union
	// Pid is the first member of the union.
	Pid int32
}

// endedChild returns a child that has ended, without reaping it; 0 if none has.
func endedChild() int {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if err != nil { // ECHILD: there are no children
		return 0
	}
	// SAFETY: childInfo is a prefix of siginfo_t (asm-generic/siginfo.h), and info lives
	// until the end of this function.
	return int((*childInfo)(unsafe.Pointer(&info)).Pid)
}
