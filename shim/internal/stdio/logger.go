package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A program that logs (containerd's core/runtime/v2/logging) reads the two outputs from
// descriptors 3 and 4, and closes descriptor 5 when it is ready.
const (
	// endGrace is its time from the end of the output to SIGTERM, termGrace from there to
	// SIGKILL.
	endGrace  = time.Second
	termGrace = 10 * time.Second
)

// logger is a running program that logs.
type logger struct {
	cmd   *exec.Cmd
	ended chan error
}

// openLogger starts a program that logs. A program without a terminal writes to the
// logger's pipes itself.
func (i *IO) openLogger(ctx context.Context, u *url.URL, terminal bool) error {
	ends, err := i.loggerPipes(terminal)
	defer func() {
		for n := range ends {
			closeFile(&ends[n])
		}
	}()
	if err != nil {
		return err
	}
	ready, readyEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	cmd := exec.Command(u.Path, arguments(u)...)
	cmd.Env = []string{"CONTAINER_ID=" + i.options.Container, "CONTAINER_NAMESPACE=" + i.options.Namespace}
	cmd.ExtraFiles = []*os.File{ends[0], ends[1], readyEnd}
	err = cmd.Start()
	readyEnd.Close()
	if err != nil {
		return fmt.Errorf("start logger: %w", err)
	}
	i.logger = &logger{cmd: cmd, ended: make(chan error, 1)}
	i.options.Owner.Own(cmd.Process.Pid)
	go i.logger.wait(i.options.Owner)
	return awaitReady(ctx, ready)
}

// loggerPipes makes the pipes of both outputs, and returns the logger's ends.
func (i *IO) loggerPipes(terminal bool) ([2]*os.File, error) {
	var ends [2]*os.File
	for n := range ends {
		r, w, err := os.Pipe()
		if err != nil {
			return ends, err
		}
		ends[n] = r
		if terminal {
			i.output[n].to = w // nothing is written to the second
			continue
		}
		i.program[n+1] = w
		if err := i.chown(w); err != nil {
			return ends, err
		}
	}
	return ends, nil
}

// arguments returns the logger's: each key of the query, and its value.
func arguments(u *url.URL) []string {
	var list []string
	for key, values := range u.Query() {
		list = append(list, key)
		if len(values) > 0 {
			list = append(list, values[0])
		}
	}
	return list
}

// awaitReady waits until the logger has closed its end of the pipe, or has written to it.
func awaitReady(ctx context.Context, ready *os.File) error {
	stop := context.AfterFunc(ctx, func() { ready.Close() })
	defer stop()
	if _, err := ready.Read(make([]byte, 1)); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("wait for logger: %w", errors.Join(ctx.Err(), err))
	}
	return nil
}

func (l *logger) wait(owner Owner) {
	err := l.cmd.Wait()
	owner.Disown(l.cmd.Process.Pid)
	l.ended <- err
}

// end waits until the logger has read all output and ended, and helps it to end.
func (l *logger) end(ctx context.Context) error {
	for _, step := range []struct {
		grace  time.Duration
		signal unix.Signal
	}{{endGrace, unix.SIGTERM}, {termGrace, unix.SIGKILL}} {
		select {
		case err := <-l.ended:
			return l.result(err)
		case <-ctx.Done():
			step.signal = unix.SIGKILL
		case <-time.After(step.grace):
		}
		if err := l.cmd.Process.Signal(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("end logger: %w", err)
		}
	}
	return l.result(<-l.ended)
}

// result is the logger's own failure. Its end by the signal that asked for it is not one.
func (l *logger) result(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status, ok := exit.Sys().(syscall.WaitStatus)
		if ok && status.Signaled() && status.Signal() == syscall.SIGTERM {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("logger %s: %w", l.cmd.Path, err)
	}
	return nil
}
