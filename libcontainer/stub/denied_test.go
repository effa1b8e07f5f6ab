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

// denied calls f in a thread in which a system call fails.
func denied(nr uint32, errno unix.Errno, f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		err := deny(nr, errno)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}

func TestStartWithoutClone3(t *testing.T) {
	dir, err := os.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	err = denied(unix.SYS_CLONE3, unix.ENOSYS, func() error {
		_, err := Start(t.Context(), Options{Cgroup: dir})
		return err
	})
	if !errors.Is(err, unix.ENOSYS) || err.Error() != "make process: clone3: function not implemented" {
		t.Errorf("got %v", err)
	}
}

// The error of a fork of the stub has the cause or the remedy, as that of Start.
func TestForkIsDenied(t *testing.T) {
	for _, test := range []struct {
		errno unix.Errno
		fork  func(*Child) error
		want  string
	}{
		{unix.EAGAIN, func(c *Child) error { return c.Fork(0) }, "(a limit of processes is reached: "},
		{unix.ENOENT, func(c *Child) error { return c.ForkInto(0) }, "(the cgroup was removed)"},
		{unix.EBUSY, func(c *Child) error { return c.ForkInto(0) }, "(controllers are enabled for the cgroups below: "},
		{unix.EOPNOTSUPP, func(c *Child) error { return c.ForkInto(0) }, "(its cgroup cannot have processes (cgroup.type): "},
	} {
		err := denied(unix.SYS_CLONE3, test.errno, func() error {
			c, err := Start(t.Context(), Options{})
			if err != nil {
				return err
			}
			return errors.Join(test.fork(c), c.End())
		})
		if !errors.Is(err, test.errno) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

func TestStartIsDeniedOnce(t *testing.T) {
	dir := t.TempDir()
	err := denied(unix.SYS_CLONE, unix.EPERM, func() error {
		_, err := Start(t.Context(), Options{Dir: dir})
		return err
	})
	if err == nil || err.Error() != "make process: clone: operation not permitted" {
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
