package sys

import (
	"errors"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// start starts a shell script and returns its PID and a pidfd.
func start(t *testing.T, script string) (pid, pidfd int) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return cmd.Process.Pid, fd
}

func TestReap(t *testing.T) {
	for script, want := range map[string]Exit{
		"exit 0":        {},
		"exit 7":        {Code: 7},
		"kill -KILL $$": {Signal: unix.SIGKILL},
		"kill -TERM $$": {Signal: unix.SIGTERM},
	} {
		pid, pidfd := start(t, script)
		want.Pid = pid
		if got, err := Reap(pidfd); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", script, got, err, want)
		}
		if _, err := Reap(pidfd); !errors.Is(err, unix.ECHILD) {
			t.Errorf("%s: reaped twice: %v", script, err)
		}
	}
}

func TestZombie(t *testing.T) {
	if got, err := Zombie(); err != nil || got != (Exit{}) {
		t.Fatalf("without a child: %+v, %v", got, err)
	}
	pid, pidfd := start(t, "exit 3")
	if _, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, -1); err != nil {
		t.Fatal(err)
	}
	for range 2 { // Zombie does not reap it
		if got, err := Zombie(); err != nil || got != (Exit{Pid: pid, Code: 3}) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if _, err := Reap(pidfd); err != nil {
		t.Error(err)
	}
}
