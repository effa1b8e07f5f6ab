package stub

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func startChild(t *testing.T, o Options) *Child {
	t.Helper()
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.End(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// denyExecve queues a filter that makes the kernel kill the stub at execve(2).
func denyExecve(c *Child) {
	var filter []byte
	for _, i := range []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_EXECVE},
		{Code: unix.BPF_RET, K: unix.SECCOMP_RET_KILL_PROCESS},
		{Code: unix.BPF_RET, K: unix.SECCOMP_RET_ALLOW},
	} {
		filter = binary.NativeEndian.AppendUint16(filter, i.Code)
		filter = append(filter, i.Jt, i.Jf)
		filter = binary.NativeEndian.AppendUint32(filter, i.K)
	}
	c.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	c.Seccomp(0, filter)
}

// A stub that is killed in a call leaves no result of it, and neither does an
// execve that succeeds.
func TestDoReportsAStubThatIsKilledInExecve(t *testing.T) {
	c := startChild(t, Options{})
	denyExecve(c)
	c.Execve("/bin/true", []string{"true"}, nil)
	err := c.Do()
	if !errors.Is(err, ErrGone) {
		t.Fatalf("error is %v", err)
	}
	want := "execve: container process ended unexpectedly: killed by SIGSYS (the seccomp filter must allow execve)"
	if os.Geteuid() == 0 && err.Error() != want { // a user without rights may not see the signal
		t.Errorf("error is %v, want %s", err, want)
	}
}

// If another parent reaps the process at once, the kernel still knows the
// signal.
func TestExecutedOnceReaped(t *testing.T) {
	c := startChild(t, Options{})
	if err := errors.Join(c.Kill(), c.Reap()); err != nil {
		t.Fatal(err)
	}
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	if unix.IoctlPidfdInfo(int(c.Pidfd.Fd()), &info) != nil || info.Mask&unix.PIDFD_INFO_EXIT == 0 {
		t.Skip("needs Linux 6.15, for PIDFD_INFO_EXIT")
	}
	if err := (Process{c.Pid, c.Pidfd}).executed(false); !errors.Is(err, ErrGone) {
		t.Errorf("error is %v", err)
	}
}

// Programs that end at once count as programs, with any name and any end, also
// when they have been reaped already.
func TestDoKnowsAProgramThatEndsAtOnce(t *testing.T) {
	for _, script := range []string{"exit 0", "exit 125", "kill -9 $$", "kill -31 $$"} {
		for range 50 {
			c := startChild(t, Options{})
			c.Execve("/bin/sh", []string{"sh", "-c", script}, nil)
			if err := c.Do(); err != nil {
				t.Fatalf("%s: %v", script, err)
			}
			if err := c.Reap(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestExecutedAfterTheEnd(t *testing.T) {
	ended := func(path string, args ...string) Process {
		c := startChild(t, Options{})
		c.Execve(path, args, nil)
		if err := c.Do(); err != nil {
			t.Fatal(err)
		}
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(c.Pidfd.Fd()), Events: unix.POLLIN}}, -1); err != nil {
			t.Fatal(err)
		}
		return Process{c.Pid, c.Pidfd}
	}
	zombie := ended("/bin/sh", "sh", "-c", "kill -9 $$")
	if err := zombie.executed(false); err != nil {
		t.Errorf("zombie of a program: %v", err)
	}
	reaped := ended("/bin/true", "true")
	if err := unix.Waitid(unix.P_PIDFD, int(reaped.Pidfd.Fd()), nil, unix.WEXITED, nil); err != nil {
		t.Fatal(err)
	}
	if err := reaped.executed(false); err != nil {
		t.Errorf("program that was reaped: %v", err)
	}
}

// A connection that this side has cut is no evidence.
func TestDoDoesNotTakeACutForSuccess(t *testing.T) {
	c := startChild(t, Options{})
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := (Process{c.Pid, c.Pidfd}).executed(true); !errors.Is(err, ErrGone) {
		t.Errorf("error is %v", err)
	}
	c.sock.cut()
	c.Execve("/bin/true", []string{"true"}, nil)
	if err := c.Do(); !errors.Is(err, ErrGone) {
		t.Errorf("error is %v", err)
	}
}

func TestDetachReportsAFailedAccept(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	c := startChild(t, Options{Listener: null})
	err = c.Detach()
	if want := "accept4: socket operation on non-socket (ENOTSOCK)"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
}
