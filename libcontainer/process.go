package libcontainer

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Process is a process that Exec started.
type Process struct {
	c     *Container
	child *stub.Child
	exit  *monitor.Exit
}

// Pid returns the process ID on the host.
func (p *Process) Pid() int { return p.child.Pid }

// Pidfd returns a pidfd of the process. Release closes it.
func (p *Process) Pidfd() *os.File { return p.child.Pidfd }

// Signal sends a signal to the process; signal 0 only checks that it exists. The error is
// ErrNotRunning if it has ended.
func (p *Process) Signal(sig unix.Signal) error {
	err := sys.WithFD(p.child.Pidfd, func(fd int) error { return unix.PidfdSendSignal(fd, sig, nil, 0) })
	if errors.Is(err, unix.ESRCH) {
		err = ErrNotRunning
	}
	return opError("kill process in", p.c.ID(), err)
}

// Wait waits until the process has ended, and reaps it. Any number of goroutines may
// call it, also again and after Release. The error is ctx's, or ErrNotChild.
func (p *Process) Wait(ctx context.Context) (ExitStatus, error) {
	status, err := p.exit.Wait(ctx)
	return ExitStatus(status), opError("wait for process in", p.c.ID(), err)
}

// Release closes the pidfd. The process continues.
func (p *Process) Release() error { return p.child.Release() }
