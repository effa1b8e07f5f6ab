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

// Process is a process that was executed in a container.
type Process struct {
	c     *Container
	child *stub.Child
	exit  *monitor.Exit
}

// Pid gives the process id on the host.
func (p *Process) Pid() int { return p.child.Pid }

// Pidfd gives a pidfd of the process, which is the Process's and closed by
// Release.
func (p *Process) Pidfd() *os.File { return p.child.Pidfd }

// Signal sends a signal to the process; signal 0 asks whether it is there.
func (p *Process) Signal(sig unix.Signal) error {
	err := sys.WithFD(p.child.Pidfd, func(fd int) error { return unix.PidfdSendSignal(fd, sig, nil, 0) })
	if errors.Is(err, unix.ESRCH) {
		err = ErrNotRunning
	}
	return opError("kill process in", p.c.ID(), err)
}

// Wait waits for the end of the process and reaps it. The status can be asked
// for again, and by many goroutines, also behind Release.
func (p *Process) Wait(ctx context.Context) (ExitStatus, error) {
	status, err := p.exit.Wait(ctx)
	return ExitStatus(status), opError("wait for process in", p.c.ID(), err)
}

// Release closes the pidfd. The process goes on.
func (p *Process) Release() error { return p.child.Release() }
