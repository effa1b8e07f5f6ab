package libcontainer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// endedPid is the process ID of a process that was reaped.
func endedPid(t *testing.T) int {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// TestErrorsOfAKilledContainer kills init while start, ps and events run.
func TestErrorsOfAKilledContainer(t *testing.T) {
	pid := endedPid(t)
	gone := filepath.Join(t.TempDir(), "cgroup")
	c := &Container{state: &state.State{ID: "c", Pid: pid, StartTime: 1, Cgroups: map[string]string{"": gone}}}
	hook := func(err error) error { return &setup.StepError{Step: "hooks", Err: &setup.HookError{Err: err}} }
	for _, test := range []struct {
		err  error
		want bool
	}{
		{unix.ESRCH, true},
		{fmt.Errorf("connect: %w: %w", state.ErrNoListener, unix.ECONNREFUSED), true},
		{unix.ECONNREFUSED, false}, // of the seccomp agent; the failed start ends init
		{hook(unix.ENOMEM), true},
		{hook(&fs.PathError{Op: "open", Path: "/proc/" + strconv.Itoa(pid) + "/setgroups", Err: unix.ENOENT}), true},
		{unix.ENOMEM, false}, // of execve, which ends init
		{hook(&fs.PathError{Op: "open", Path: "/bin/hook", Err: unix.ENOENT}), false},
	} {
		got := c.killedMeanwhile(test.err)
		if errors.Is(got, ErrNotRunning) != test.want || !errors.Is(got, test.err) {
			t.Errorf("%v: got %v", test.err, got)
		}
	}
	if err := c.cgroupError(unix.ENODEV); !errors.Is(err, ErrNotRunning) {
		t.Errorf("cgroup: got %v", err)
	}
	own, _, err := state.StartTimeOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	c.state.Pid, c.state.StartTime = os.Getpid(), own
	if err := c.cgroupError(unix.ENODEV); errors.Is(err, ErrNotRunning) {
		t.Errorf("cgroup of a running container: got %v", err)
	}
}

// TestWithoutConfig reads the configuration when create has not written it yet, and when
// delete has removed it, but not the state.
func TestWithoutConfig(t *testing.T) {
	for complete, want := range map[bool][]error{
		false: {ErrInvalidState},
		true:  {ErrNotRunning, fs.ErrNotExist},
	} {
		root := t.TempDir()
		dir := filepath.Join(root, "c")
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		s := state.State{Version: 1, ID: "c", Pid: endedPid(t), Complete: complete}
		if err := s.Write(dir); err != nil {
			t.Fatal(err)
		}
		c, err := Load(root, "c", nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range want {
			if _, err := c.Config(); !errors.Is(err, target) {
				t.Errorf("complete: %v: got %v instead of %v", complete, err, target)
			}
		}
	}
}
