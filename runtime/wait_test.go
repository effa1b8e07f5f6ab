package ociruntime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// TestWaitWhileOthersDelete waits in several goroutines, as supervisors do,
// while another one ends the container.
func TestWaitWhileOthersDelete(t *testing.T) {
	rt, spec := setup(t, "sleep")
	for range 10 {
		c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
		if err != nil {
			t.Fatal(err)
		}
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				if status, err := c.Wait(t.Context()); err != nil || status.Signal != unix.SIGKILL {
					t.Errorf("status %v, error %v", status, err)
				}
			})
		}
		remove(t, c)
		waiting.Wait()
		if status, err := c.Wait(t.Context()); err != nil || status.Signal != unix.SIGKILL {
			t.Errorf("after Delete: status %v, error %v", status, err)
		}
	}
}

func TestWaitForProcessAgain(t *testing.T) {
	c := sleeping(t, nil)
	p := execute(t, c, ociruntime.ExecOptions{}, "exit", "9")
	for range 2 {
		if status, err := p.Wait(t.Context()); err != nil || status.Code != 9 {
			t.Errorf("status %v, error %v", status, err)
		}
	}
	letGo(t, p)
	if status, err := p.Wait(t.Context()); err != nil || status.Code != 9 {
		t.Errorf("after Close: status %v, error %v", status, err)
	}
	if err := p.Kill(t.Context(), unix.SIGTERM); !errors.Is(err, os.ErrClosed) {
		t.Errorf("kill after Close: %v", err)
	}
}

func TestPidfd(t *testing.T) {
	rt, spec := setup(t, "sleep")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	other, err := rt.Load(name(t))
	if err != nil {
		t.Fatal(err)
	}
	pidfd, err := other.Pidfd()
	if err != nil {
		t.Fatal(err)
	}
	defer pidfd.Close()
	if err := unix.PidfdSendSignal(int(pidfd.Fd()), unix.SIGKILL, nil, 0); err != nil {
		t.Fatal(err)
	}
	if status, err := c.Wait(t.Context()); err != nil || status.Signal != unix.SIGKILL {
		t.Errorf("status %v, error %v", status, err)
	}
	if _, err := other.Pidfd(); !errors.Is(err, libcontainer.ErrNotRunning) {
		t.Errorf("pidfd of what has ended: %v", err)
	}
}

// TestOutputThatCannotBePassedOn checks that Wait returns the status and the writer's
// error.
func TestOutputThatCannotBePassedOn(t *testing.T) {
	rt, spec := setup(t, "greet")
	cause := errors.New("cause")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Stdout: failing{cause}})
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	status, err := c.Wait(t.Context())
	var output *ociruntime.OutputError
	if !errors.As(err, &output) || !errors.Is(err, cause) || status != (libcontainer.ExitStatus{}) {
		t.Errorf("status %v, error %v", status, err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// TestFailedCreateReadsNoInput checks that unread input remains for the next container.
func TestFailedCreateReadsNoInput(t *testing.T) {
	rt, spec := setup(t)
	spec.Process.Args = []string{"/missing"}
	input := make(reads, 1)
	if _, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Stdin: input}); err == nil {
		t.Error("it was created")
	}
	if len(input) > 0 {
		t.Error("the input was read")
	}
}

// reads is a reader that records a Read.
type reads chan struct{}

func (r reads) Read([]byte) (int, error) {
	r <- struct{}{}
	return 0, io.EOF
}

// waits checks that a handle reports the exit code 7.
func waits(t *testing.T, what string, c *ociruntime.Container) {
	t.Helper()
	for range 2 {
		if status, err := c.Wait(t.Context()); err != nil || status != (libcontainer.ExitStatus{Code: 7}) {
			t.Errorf("%s: status %v, error %v", what, status, err)
		}
	}
}

// twoHandles starts a container that exits with 7, through a second handle.
func twoHandles(t *testing.T) (created, loaded *ociruntime.Container) {
	t.Helper()
	rt, spec := setup(t, "exit", "7")
	created, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	if loaded, err = rt.Load(name(t)); err != nil {
		t.Fatal(err)
	}
	if err := loaded.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return created, loaded
}

func TestWaitOnTwoHandles(t *testing.T) {
	created, loaded := twoHandles(t)
	waits(t, "loaded", loaded)
	waits(t, "created", created)
	remove(t, loaded)
	waits(t, "loaded, after delete", loaded)
	waits(t, "created, after delete", created)
}

// TestDeleteReaps checks that Delete through a second handle leaves no zombie.
func TestDeleteReaps(t *testing.T) {
	created, loaded := twoHandles(t)
	pid := created.Pid()
	remove(t, loaded)
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("process %d: %v", pid, err)
	}
	if _, err := created.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestWaitForReaped waits for an init that the importer itself has reaped, as programs do
// that wait for all of their children.
func TestWaitForReaped(t *testing.T) {
	created, loaded := twoHandles(t)
	defer remove(t, loaded)
	if _, err := unix.Wait4(created.Pid(), nil, 0, nil); err != nil {
		t.Fatal(err)
	}
	status, err := created.Wait(t.Context())
	if errors.Is(err, errors.ErrUnsupported) && errors.Is(err, libcontainer.ErrNotChild) {
		t.Skip("the status is lost: ", err)
	}
	if err != nil || status.Code != 7 {
		t.Errorf("status %v, error %v", status, err)
	}
}

func TestWaitStats(t *testing.T) {
	rt, spec := setup(t, "sleep")
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		close(begun)
		status, stats, err := c.WaitStats(t.Context())
		if err != nil || status.Signal != unix.SIGKILL || stats == nil || stats.CPU.Usage.Total == 0 {
			t.Errorf("status %v, statistics %+v, error %v", status, stats, err)
		}
	}()
	<-begun
	time.Sleep(10 * time.Millisecond)
	remove(t, c)
	<-ended
}

// rootVariable has the state root for the test binary that waits elsewhere.
const rootVariable = "BERTH_TEST_WAIT_ROOT"

// TestWaitElsewhere waits in a process that is not the parent, while the parent reaps init
// before or after it.
func TestWaitElsewhere(t *testing.T) {
	if root := os.Getenv(rootVariable); root != "" {
		waitElsewhere(t, root)
		return
	}
	for _, reaps := range []string{"first", "later"} {
		_, spec := setup(t, "code")
		root := filepath.Join(t.TempDir(), "state")
		rt, err := ociruntime.New(ociruntime.Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		in, input := io.Pipe()
		c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, Stdin: in})
		if err != nil {
			t.Fatal(err)
		}
		waiter := exec.Command(os.Args[0], "-test.run=^TestWaitElsewhere$")
		waiter.Env, waiter.Stderr = append(os.Environ(), rootVariable+"="+root), os.Stderr
		out, err := waiter.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := waiter.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, len("waiting\n"))
		if _, err := io.ReadFull(out, line); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(input, "42"); err != nil {
			t.Fatal(err)
		}
		if err := input.Close(); err != nil {
			t.Fatal(err)
		}
		if reaps == "first" {
			if status, err := c.Wait(t.Context()); err != nil || status.Code != 42 {
				t.Errorf("parent: status %v, error %v", status, err)
			}
		}
		if said, err := io.ReadAll(out); err != nil || !strings.HasPrefix(string(said), "{Code:42 Signal:signal 0 OOM:} <nil>\n") {
			t.Errorf("the parent reaps %s: %q, %v", reaps, said, err)
		}
		if err := waiter.Wait(); err != nil {
			t.Error(err)
		}
		remove(t, c)
	}
}

// waitElsewhere is the other process.
func waitElsewhere(t *testing.T, root string) {
	rt, err := ociruntime.New(ociruntime.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	c, err := rt.Load(name(t))
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := c.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	fmt.Println("waiting")
	status, err := c.Wait(t.Context())
	fmt.Printf("%+v %v\n", status, err)
}

// TestSubreaper waits for a container after its creator has ended, and deletes another one:
// init then is a child of this process.
func TestSubreaper(t *testing.T) {
	if root := os.Getenv(rootVariable); root != "" {
		leaveContainer(t, root)
		return
	}
	_, spec := setup(t, "sleep")
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "state")
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) //nolint:errcheck // it has succeeded above
	for _, waits := range []bool{true, false} {
		creator := exec.Command(os.Args[0], "-test.run=^TestSubreaper$")
		creator.Env, creator.Stdin = append(os.Environ(), rootVariable+"="+root), bytes.NewReader(text)
		if out, err := creator.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		rt, err := ociruntime.New(ociruntime.Options{Root: root})
		if err != nil {
			t.Fatal(err)
		}
		c, err := rt.Load(name(t))
		if err != nil {
			t.Fatal(err)
		}
		pid := c.Pid()
		if waits {
			if err := c.Kill(t.Context(), unix.SIGKILL); err != nil {
				t.Error(err)
			}
			if status, err := c.Wait(t.Context()); err != nil || status.Signal != unix.SIGKILL {
				t.Errorf("status %v, error %v", status, err)
			}
		}
		remove(t, c)
		if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
			t.Errorf("waits %t: process %d: %v", waits, pid, err)
		}
	}
}

// leaveContainer is the creator.
func leaveContainer(t *testing.T, root string) {
	rt, err := ociruntime.New(ociruntime.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	spec := new(specs.Spec)
	if err := json.NewDecoder(os.Stdin).Decode(spec); err != nil {
		t.Fatal(err)
	}
	o := ociruntime.CreateOptions{Spec: spec, DieWithParent: t.Name() == "TestDieWithParent"}
	if _, err := rt.Run(t.Context(), name(t), o); err != nil {
		t.Fatal(err)
	}
}

// TestDieWithParent kills the process that created a container.
func TestDieWithParent(t *testing.T) {
	if root := os.Getenv(rootVariable); root != "" {
		leaveContainer(t, root)
		runtime.GC() // the guard does not depend on a handle
		fmt.Println("created")
		time.Sleep(time.Minute)
		return
	}
	_, spec := setup(t, "sleep")
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "state")
	creator := exec.Command(os.Args[0], "-test.run=^TestDieWithParent$")
	creator.Env, creator.Stdin = append(os.Environ(), rootVariable+"="+root), bytes.NewReader(text)
	out, err := creator.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := creator.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("created\n"))); err != nil {
		t.Fatal(err)
	}
	rt, err := ociruntime.New(ociruntime.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	c, err := rt.Load(name(t))
	if err != nil {
		t.Fatal(err)
	}
	defer remove(t, c)
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := c.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while its creator lives: %v", err)
	}
	if err := creator.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	creator.Wait() //nolint:errcheck // it was killed
	long, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if status, err := c.Wait(long); err != nil || status.Signal != unix.SIGKILL {
		t.Errorf("status %v, error %v", status, err)
	}
}

// TestGuardEnds checks that Delete leaves no guard, and that the container needs a pid namespace.
func TestGuardEnds(t *testing.T) {
	rt, spec := setup(t, "sleep")
	before := children(t)
	c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, DieWithParent: true})
	if err != nil {
		t.Fatal(err)
	}
	if n := children(t) - before; n != 2 {
		t.Errorf("%d children", n)
	}
	remove(t, c)
	if n := children(t) - before; n != 0 {
		t.Errorf("%d children are left", n)
	}
	spec.Linux.Namespaces = slices.DeleteFunc(spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == specs.PIDNamespace })
	_, err = rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec, DieWithParent: true})
	inField(t, err, "linux.namespaces")
}

// children returns the number of child processes.
func children(t *testing.T) (n int) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		n += len(strings.Fields(string(text)))
	}
	return n
}
