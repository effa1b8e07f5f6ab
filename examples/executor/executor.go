// Package executor is an example worth copying: a supervisor of tasks, each a container
// of berth, as orchestrators have one on every machine. It uses public packages only.
//
// Tasks do not end with the supervisor. One that is started again finds them in the state
// root. So the output of a task goes to a file, and the task's exit status is lost only if
// the task ends while no supervisor runs.
package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/specconv"
)

// Executor supervises the tasks of a state root.
type Executor struct {
	rt *ociruntime.Runtime
	// watching ends the goroutines that wait for tasks; the tasks continue.
	watching context.Context
	stop     context.CancelFunc
	watchers sync.WaitGroup

	mu    sync.Mutex
	tasks map[string]*Task
}

// New returns a supervisor, with the tasks that an earlier one has left.
func New(root string) (*Executor, error) {
	rt, err := ociruntime.New(ociruntime.Options{Root: root})
	if err != nil {
		return nil, err
	}
	e := &Executor{rt: rt, tasks: map[string]*Task{}}
	e.watching, e.stop = context.WithCancel(context.Background())
	entries, err := rt.List()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, entry := range entries {
		if entry.Err != nil {
			return nil, errors.Join(fmt.Errorf("attach to %s: %w", entry.ID, entry.Err), e.Close())
		}
		e.watch(entry.Container)
	}
	return e, nil
}

// Close ends the supervision, and no task.
func (e *Executor) Close() error {
	e.stop()
	e.watchers.Wait()
	return nil
}

// Task returns a task by its ID; nil if it does not exist.
func (e *Executor) Task(id string) *Task {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tasks[id]
}

// Config describes a task.
type Config struct {
	ID     string
	Rootfs string
	Args   []string
	Env    []string
	// Output is the path of the file that output is appended to.
	Output string
	Limits Limits
}

// Limits are the limits of a task; 0 means none.
type Limits struct {
	Memory int64 // bytes
	Pids   int64
	Shares uint64 // of CPU time
}

func (l Limits) resources() *specs.LinuxResources {
	r := &specs.LinuxResources{}
	if l.Memory > 0 {
		r.Memory = &specs.LinuxMemory{Limit: &l.Memory}
	}
	if l.Pids > 0 {
		r.Pids = &specs.LinuxPids{Limit: &l.Pids}
	}
	if l.Shares > 0 {
		r.CPU = &specs.LinuxCPU{Shares: &l.Shares}
	}
	return r
}

func (c Config) spec() *specs.Spec {
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Root.Path, spec.Hostname = c.Rootfs, c.ID
	spec.Process.Terminal = false
	spec.Process.Args = c.Args
	spec.Process.Env = append(spec.Process.Env, c.Env...)
	devices := spec.Linux.Resources.Devices
	spec.Linux.Resources = c.Limits.resources()
	spec.Linux.Resources.Devices = devices
	return spec
}

// Start starts a task. If it fails, or ctx ends before, nothing is left.
func (e *Executor) Start(ctx context.Context, c Config) (*Task, error) {
	out, err := os.OpenFile(c.Output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the task has its own
	container, err := e.rt.Run(ctx, c.ID, ociruntime.CreateOptions{Spec: c.spec(), Stdout: out, Stderr: out})
	if err != nil {
		return nil, err
	}
	return e.watch(container), nil
}

// watch waits for a task in a goroutine of its own.
func (e *Executor) watch(c *ociruntime.Container) *Task {
	t := &Task{e: e, c: c, ended: make(chan struct{})}
	e.mu.Lock()
	e.tasks[c.ID()] = t
	e.mu.Unlock()
	e.watchers.Go(func() {
		status, stats, err := c.WaitStats(e.watching)
		if err != nil && e.watching.Err() != nil {
			return // Close
		}
		t.result = Result{Status: status, Stats: stats, Err: err}
		close(t.ended)
	})
	return t
}

// Task is a task that was not removed.
type Task struct {
	e      *Executor
	c      *ociruntime.Container
	ended  chan struct{}
	result Result // valid when ended is closed
}

// Result is the end of a task.
type Result struct {
	Status libcontainer.ExitStatus
	// Stats are the last statistics; nil if they are lost.
	Stats *ociruntime.Stats
	// Err is libcontainer.ErrNotRunning if the task has ended while no supervisor ran,
	// so that its status is lost.
	Err error
}

// ID returns the task's ID.
func (t *Task) ID() string { return t.c.ID() }

// Warnings returns what the task has to do without.
func (t *Task) Warnings() []string { return t.c.Warnings() }

// Wait waits for the end of the task, or of ctx.
func (t *Task) Wait(ctx context.Context) (Result, error) {
	select {
	case <-t.ended:
		return t.result, nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// Signal sends a signal to the task's first program.
func (t *Task) Signal(ctx context.Context, sig unix.Signal) error { return t.c.Kill(ctx, sig) }

// Stats returns statistics, also of a task that has ended.
func (t *Task) Stats(ctx context.Context) (*ociruntime.Stats, error) { return t.c.Stats(ctx) }

// Update changes the limits.
func (t *Task) Update(ctx context.Context, l Limits) error {
	return t.c.Update(ctx, ociruntime.UpdateOptions{Resources: l.resources()})
}

// Events returns statistics at intervals, and OOM kills, until the task ends.
func (t *Task) Events(ctx context.Context, interval time.Duration) iter.Seq2[ociruntime.Event, error] {
	return t.c.Events(ctx, ociruntime.EventsOptions{Interval: interval})
}

// Stop asks the task to end with SIGTERM, and kills it after the grace period.
func (t *Task) Stop(ctx context.Context, grace time.Duration) (Result, error) {
	if err := t.Signal(ctx, unix.SIGTERM); err != nil && !errors.Is(err, libcontainer.ErrNotRunning) {
		return Result{}, err
	}
	waiting, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if result, err := t.Wait(waiting); err == nil {
		return result, nil
	}
	if err := t.c.KillAll(ctx, unix.SIGKILL); err != nil && !errors.Is(err, libcontainer.ErrNotRunning) {
		return Result{}, err
	}
	return t.Wait(ctx)
}

// Remove removes the task, and kills it if it runs.
func (t *Task) Remove(ctx context.Context) error {
	if err := t.c.Delete(ctx, ociruntime.DeleteOptions{Force: true}); err != nil {
		return err
	}
	if _, err := t.Wait(ctx); err != nil {
		return err
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	delete(t.e.tasks, t.ID())
	return nil
}

// Exec executes a program in the task, and returns its output. When ctx ends the program
// is killed. The output may be incomplete: a process that the program leaves can keep it
// open.
func (t *Task) Exec(ctx context.Context, in io.Reader, args ...string) (libcontainer.ExitStatus, []byte, error) {
	process, err := t.c.NewProcess(args...)
	if err != nil {
		return libcontainer.ExitStatus{}, nil, err
	}
	var out bytes.Buffer
	p, err := t.c.Exec(ctx, ociruntime.ExecOptions{
		Process: process, Stdin: in, Stdout: &out, Stderr: &out, WaitDelay: time.Second,
	})
	if err != nil {
		return libcontainer.ExitStatus{}, nil, err
	}
	status, err := p.Wait(ctx)
	// It has ended, except after an error of ctx.
	err = errors.Join(err, p.Abandon(context.WithoutCancel(ctx)))
	return status, out.Bytes(), err
}

// Terminal executes a program on a terminal, and copies between it and a user until the
// program ends.
func (t *Task) Terminal(ctx context.Context, in io.Reader, out io.Writer, rows, columns uint16, args ...string) (libcontainer.ExitStatus, error) {
	process, err := t.c.NewProcess(args...)
	if err != nil {
		return libcontainer.ExitStatus{}, err
	}
	process.Terminal = true
	process.ConsoleSize = &specs.Box{Height: uint(rows), Width: uint(columns)}
	p, err := t.c.Exec(ctx, ociruntime.ExecOptions{Process: process})
	if err != nil {
		return libcontainer.ExitStatus{}, err
	}
	// When ctx ends: a read in progress returns.
	stop := context.AfterFunc(ctx, func() { p.Console().SetReadDeadline(time.Now()) }) //nolint:errcheck // closed meanwhile
	defer stop()
	go io.Copy(p.Console(), in) //nolint:errcheck // ends with the console
	_, err = io.Copy(out, p.Console())
	if errors.Is(err, unix.EIO) { // no process has the terminal open
		err = nil
	}
	if err == nil {
		var status libcontainer.ExitStatus
		status, err = p.Wait(ctx)
		if err == nil {
			return status, p.Close()
		}
	}
	return libcontainer.ExitStatus{}, errors.Join(err, ctx.Err(), p.Abandon(context.WithoutCancel(ctx)))
}
