package children

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// orphan starts a process that this process adopts, and returns its pid.
func orphan(t *testing.T) int {
	t.Helper()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sh", "-c", "sleep 0.05 >/dev/null & echo $!").Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func exists(pid int) bool { return unix.Kill(pid, 0) == nil }

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func TestWatchReapsOrphansAndNothingElse(t *testing.T) {
	c := New()
	go c.Watch(t.Context())
	time.Sleep(20 * time.Millisecond) // until Watch listens

	end := c.Begin()
	cmd := exec.Command("sh", "-c", "exit 3")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := orphan(t)
	time.Sleep(100 * time.Millisecond)
	if !exists(pid) || !exists(cmd.Process.Pid) {
		t.Fatal("a child was reaped while an operation was in progress")
	}
	c.Own(cmd.Process.Pid)
	end()
	time.Sleep(50 * time.Millisecond)
	if !exists(cmd.Process.Pid) {
		t.Fatal("an owned child was reaped")
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("status of the owned child: %v, want 3", cmd.ProcessState)
	}
	c.Disown(cmd.Process.Pid)
	eventually(t, "the orphan is reaped", func() bool { return !exists(pid) })
}

func TestReapWithoutChildren(t *testing.T) {
	c := New()
	c.Reap()
	if c.again.Load() {
		t.Error("Reap has left something for later, and there is nothing")
	}
}
