package task

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/containerd/containerd/api/types/task"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/stdio"
)

// process is a container's init or an exec process.
type process struct {
	id      string // "" for init
	streams stdio.Streams
	spec    *specs.Process // of an exec process

	// lifecycle is locked until the event of a start is queued: the event of the exit
	// comes after it.
	lifecycle sync.Mutex
	// done is closed when the process has ended and its exit event is queued.
	done chan struct{}

	mu       sync.Mutex
	status   task.Status
	pid      int
	exit     uint32
	exitedAt time.Time
	io       *stdio.IO
	console  *ociruntime.Console
	// exec is the process of package runtime; nil for init, and before the start.
	exec *ociruntime.Process
}

func newProcess(id string, streams stdio.Streams) *process {
	return &process{id: id, streams: streams, status: task.Status_CREATED, done: make(chan struct{})}
}

// Pid returns the process ID on the host; 0 before the process exists.
func (p *process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// begin is called when the process exists: it connects the streams. Exec is nil for init.
func (p *process) begin(pid int, io *stdio.IO, console *ociruntime.Console, exec *ociruntime.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pid, p.io, p.console, p.exec = pid, io, console, exec
	var terminal *os.File
	if console != nil {
		terminal = console.File
	}
	io.Begin(terminal)
}

// setIO stores the streams of a process that does not exist yet.
func (p *process) setIO(io *stdio.IO) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.io = io
}

// setStatus changes the status, unless the process has ended.
func (p *process) setStatus(s task.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status != task.Status_STOPPED {
		p.status = s
	}
}

// ended stores the exit status.
func (p *process) ended(status uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.exit, p.exitedAt = task.Status_STOPPED, status, time.Now()
	if p.io != nil {
		p.io.Ended()
	}
}

// state returns what State and Delete report.
func (p *process) state() (s task.Status, exit uint32, exitedAt time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status, p.exit, p.exitedAt
}

// wait waits for the exit of the process.
func (p *process) wait(ctx context.Context) error {
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// kill sends a signal to an exec process.
func (p *process) kill(ctx context.Context, sig unix.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.exec == nil {
		return libcontainer.ErrInvalidState
	}
	return p.exec.Kill(ctx, sig)
}

func (p *process) resize(width, height uint32) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.console == nil || p.status == task.Status_STOPPED {
		return nil
	}
	return p.console.Resize(uint16(height), uint16(width))
}

func (p *process) closeStdin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.io == nil {
		return nil
	}
	return p.io.CloseStdin()
}
