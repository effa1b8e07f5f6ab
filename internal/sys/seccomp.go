package sys

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TakesSeccompFlag reports whether the kernel supports a SECCOMP_FILTER_FLAG_*.
// It passes no filter: the kernel checks the flags first and then fails with
// EFAULT (seccomp(2)).
func TakesSeccompFlag(flag uint32) bool {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flag), 0)
	return errors.Is(errno, unix.EFAULT)
}

// SeccompInstall installs a filter on the calling thread (seccomp(2)).
func SeccompInstall(filter []unix.SockFilter) error {
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// SeccompNotif is struct seccomp_notif: a system call that waits for a
// response.
type SeccompNotif struct {
	ID    uint64
	Pid   uint32
	Flags uint32
	Nr    int32
	Arch  uint32
	IP    uint64
	Args  [6]uint64
}

// SeccompAnswer is struct seccomp_notif_resp.
type SeccompAnswer struct {
	ID    uint64
	Val   int64
	Error int32
	Flags uint32
}

// SeccompReceive waits for the next call at a listener.
func SeccompReceive(listener int) (SeccompNotif, error) {
	var n SeccompNotif
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return n, errno
	}
	return n, nil
}

// SeccompRespond sends the response to a call.
func SeccompRespond(listener int, a SeccompAnswer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&a)))
	if errno != 0 {
		return errno
	}
	return nil
}

// SeccompFilter returns the newest filter of a process
// (PTRACE_SECCOMP_GET_FILTER, Linux 4.4) and its flags, of which the kernel
// reports only SECCOMP_FILTER_FLAG_LOG (Linux 4.16). The calling thread must
// trace the process, which must be stopped.
func SeccompFilter(pid int) (filter []unix.SockFilter, flags uint64, err error) {
	const newest = 0
	length, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SECCOMP_GET_FILTER, uintptr(pid), newest, 0, 0, 0)
	if errno != 0 {
		return nil, 0, errno
	}
	filter = make([]unix.SockFilter, length)
	_, _, errno = unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SECCOMP_GET_FILTER, uintptr(pid), newest, uintptr(unsafe.Pointer(&filter[0])), 0, 0)
	if errno != 0 {
		return nil, 0, errno
	}
	var meta struct{ offset, flags uint64 } // struct seccomp_metadata
	_, _, errno = unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SECCOMP_GET_METADATA, uintptr(pid), unsafe.Sizeof(meta), uintptr(unsafe.Pointer(&meta)), 0, 0)
	if errno != 0 {
		return nil, 0, errno
	}
	return filter, meta.flags, nil
}

// SetSeccompFilter installs a filter on all threads of this process, with flags in
// addition to SECCOMP_FILTER_FLAG_TSYNC. It needs CAP_SYS_ADMIN or no_new_privs, which all
// threads get if the calling one has it. The error is ESRCH if a thread has a filter that
// the calling one does not have.
func SetSeccompFilter(filter []unix.SockFilter, flags uint32) error {
	if len(filter) == 0 {
		return unix.EINVAL
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	flags |= unix.SECCOMP_FILTER_FLAG_TSYNC
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flags), uintptr(unsafe.Pointer(&program)))
	switch {
	case errno != 0:
		return errno
	case thread != 0:
		return fmt.Errorf("thread %d has another filter: %w", thread, unix.ESRCH)
	}
	return nil
}
