package stub

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deny makes the kernel return an errno for a system call of this thread. Use
// the thread for nothing else.
func deny(nr uint32, errno unix.Errno) error {
	const ret, load, equal = unix.BPF_RET | unix.BPF_K, unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load}, // the number, which is at 0
		{Code: equal, K: nr, Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

func TestStartWithoutClone3(t *testing.T) {
	dir, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if err := deny(unix.SYS_CLONE3, unix.ENOSYS); err != nil {
			done <- err
			return
		}
		_, err := Start(t.Context(), Options{Cgroup: dir})
		done <- err
	}()
	err = <-done
	if !errors.Is(err, unix.ENOSYS) || err.Error() != "make process: clone3: function not implemented" {
		t.Errorf("got %v", err)
	}
}

func TestForkAtLimit(t *testing.T) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if err := deny(unix.SYS_CLONE3, unix.EAGAIN); err != nil {
			done <- err
			return
		}
		c, err := Start(t.Context(), Options{})
		if err == nil {
			err = errors.Join(c.Fork(0), c.End())
		}
		done <- err
	}()
	err := <-done
	if !errors.Is(err, unix.EAGAIN) || !strings.Contains(err.Error(), "(a limit of processes is reached: ") {
		t.Errorf("got %v", err)
	}
}

func TestStartIsDeniedOnce(t *testing.T) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if err := deny(unix.SYS_CLONE, unix.EPERM); err != nil {
			done <- err
			return
		}
		_, err := Start(t.Context(), Options{Dir: t.TempDir()})
		done <- err
	}()
	if err := <-done; err == nil || err.Error() != "make process: clone: operation not permitted" {
		t.Errorf("got %v", err)
	}
}

// clone3(2) returns ENOENT for a removed cgroup.
func TestForkErrorsNameTheCall(t *testing.T) {
	cgroup := Options{Cgroup: os.Stdin}
	for _, test := range []struct {
		o    Options
		err  error
		want string
	}{
		{cgroup, unix.ENOENT, "clone3: no such file or directory (the cgroup was removed)"},
		{cgroup, unix.EACCES, "execve: permission denied"},
		{cgroup, unix.EPERM, "clone3: operation not permitted"},
		{Options{}, unix.ENOENT, "execve: no such file or directory"},
		{Options{}, unix.ENOMEM, "clone: cannot allocate memory"},
	} {
		if got := forkCall(test.o, test.err) + ": " + withRemedy(test.o, test.err).Error(); got != test.want {
			t.Errorf("%v: got %q, want %q", test.err, got, test.want)
		}
	}
}
