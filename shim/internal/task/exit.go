package task

import (
	"context"
	"errors"
	"log/slog"

	"github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/v2/pkg/protobuf"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// unknownStatus is the exit status of a process whose status the kernel did not report.
const unknownStatus = 255

// awaitInit waits for the end of a container's init, and reports it after the end of all
// exec processes.
func (s *Service) awaitInit(c *container, oci *ociruntime.Container) {
	pid := oci.Pid()
	status, err := oci.Wait(context.Background())
	s.children.Disown(pid)
	c.setInitEnded()
	if c.sharedPids {
		// The kernel has not killed the others.
		killErr := oci.KillAll(context.Background(), unix.SIGKILL)
		if killErr != nil && !errors.Is(killErr, libcontainer.ErrNotRunning) && !errors.Is(killErr, libcontainer.ErrNotExist) {
			slog.Error("kill the processes that init has left", "container", c.id, "error", killErr)
		}
	}
	c.running.Wait()
	s.exited(c, c.init, shell(status, err))
}

// awaitExec waits for the end of an exec process.
func (s *Service) awaitExec(c *container, p *process, exec *ociruntime.Process) {
	defer c.running.Done()
	status, err := exec.Wait(context.Background())
	s.children.Disown(p.Pid())
	s.exited(c, p, shell(status, err))
}

// shell returns the exit status as containerd reports it.
func shell(status libcontainer.ExitStatus, err error) uint32 {
	if err != nil {
		slog.Error("wait for a process", "error", err)
		return unknownStatus
	}
	return uint32(status.Shell())
}

// exited reports the end of a process, after its start.
func (s *Service) exited(c *container, p *process, status uint32) {
	p.lifecycle.Lock()
	defer p.lifecycle.Unlock()
	p.ended(status)
	id := p.id
	if id == "" {
		id = c.id
	}
	_, exit, at := p.state()
	s.events.send(&events.TaskExit{
		ContainerID: c.id, ID: id, Pid: uint32(p.Pid()), ExitStatus: exit, ExitedAt: protobuf.ToTimestamp(at),
	})
	close(p.done)
}
