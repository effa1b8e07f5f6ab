package ociruntime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// NotifyProxy passes on to a service manager what the program of a container
// tells of itself (sd_notify(3)).
type NotifyProxy struct {
	socket  *os.File
	out     int
	manager unix.Sockaddr
	mainPid int
	ready   chan error // gets one: that the manager knows that the program is ready
	done    chan struct{}
	ending  atomic.Bool // nothing more will come
}

// passedOn are the assignments that a program in a container may make. Others,
// such as MAINPID and FDSTORE, are about what the manager has on the host.
var passedOn = [...]string{"READY", "RELOADING", "STOPPING", "STATUS", "ERRNO", "WATCHDOG", "EXTEND_TIMEOUT_USEC"}

// barrierLimit is how long the manager may take to read what it was sent.
const barrierLimit = 30 * time.Second

// Notify begins to pass on what the program of a container created with Notify
// tells, to the socket that the variable NOTIFY_SOCKET of this process's
// environment names. It is called before Start. When the program is ready,
// mainPid is what the manager is told to watch.
func (c *Container) Notify(socket string, mainPid int) (*NotifyProxy, error) {
	if !strings.HasPrefix(socket, "/") && !strings.HasPrefix(socket, "@") {
		return nil, fmt.Errorf("NOTIFY_SOCKET %q: neither an absolute path nor an abstract name", socket)
	}
	out, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	limit := unix.NsecToTimeval(barrierLimit.Nanoseconds()) // a manager that does not read lets senders wait
	if err := unix.SetsockoptTimeval(out, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit); err != nil {
		unix.Close(out)
		return nil, fmt.Errorf("setsockopt: %w", err)
	}
	in, err := c.c.ListenNotify()
	if err != nil {
		unix.Close(out)
		return nil, err
	}
	n := &NotifyProxy{
		socket: in, out: out, manager: &unix.SockaddrUnix{Name: socket}, mainPid: mainPid,
		ready: make(chan error, 1), done: make(chan struct{}),
	}
	go n.relay()
	return n, nil
}

// Ready returns when the program has said that it is ready and the manager
// knows, or when the container has ended. An error of the manager's is given
// once.
func (n *NotifyProxy) Ready(ctx context.Context, c *Container) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- c.c.Ended(ctx) }()
	select {
	case err := <-n.ready:
		return err
	case err := <-ended:
		if err != nil {
			return err
		}
	}
	if err := n.drain(); err != nil {
		return err
	}
	select {
	case err := <-n.ready: // the last that it said
		return err
	default:
		return nil
	}
}

// drain passes on what has come, and ends the passing on.
func (n *NotifyProxy) drain() error {
	n.ending.Store(true)
	if err := n.socket.SetReadDeadline(time.Now()); err != nil {
		return err
	}
	<-n.done
	return nil
}

// Close ends the passing on.
func (n *NotifyProxy) Close() error {
	return errors.Join(n.drain(), n.socket.Close(), unix.Close(n.out))
}

// relay passes on until the socket is closed.
func (n *NotifyProxy) relay() {
	defer close(n.done)
	message := make([]byte, 4096)
	told := false
	for {
		size, ok := n.receive(message)
		if !ok {
			return
		}
		text := allowed(message[:size])
		if len(text) == 0 {
			continue
		}
		err := n.send(text, nil)
		if told || !bytes.Contains(text, []byte("READY=")) {
			continue // the manager may have gone: nobody is to be told
		}
		told = true
		if err == nil {
			err = n.tellPid()
		}
		n.ready <- err
	}
}

// receive waits for a message, and reports whether there was one. When nothing
// more will come it takes what has.
func (n *NotifyProxy) receive(message []byte) (size int, ok bool) {
	size, err := n.socket.Read(message)
	if err == nil || errors.Is(err, io.EOF) { // an empty message looks like an end
		return size, true
	}
	conn, err := n.socket.SyscallConn()
	if err != nil || !n.ending.Load() {
		return 0, false
	}
	e := conn.Control(func(fd uintptr) { size, _, err = unix.Recvfrom(int(fd), message, unix.MSG_DONTWAIT) })
	return size, e == nil && err == nil
}

// allowed gives the lines of a message that are passed on.
func allowed(message []byte) []byte {
	var text []byte
	for line := range bytes.Lines(message) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		for _, name := range passedOn {
			if bytes.HasPrefix(line, []byte(name+"=")) {
				text = append(append(text, line...), '\n')
			}
		}
	}
	return text
}

// tellPid tells the manager which process to watch, and waits until it has read
// that: when this process ends, it may take no message of its any more.
func (n *NotifyProxy) tellPid() error {
	if err := n.send([]byte("MAINPID="+strconv.Itoa(n.mainPid)+"\n"), nil); err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	err = n.send([]byte("BARRIER=1"), unix.UnixRights(int(w.Fd())))
	w.Close()
	if err != nil {
		return err
	}
	if err := r.SetReadDeadline(time.Now().Add(barrierLimit)); err != nil {
		return err
	}
	_, err = r.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("notify service manager: it has not read its messages for %s", barrierLimit)
	}
	return nil // the end of the pipe
}

func (n *NotifyProxy) send(text, rights []byte) error {
	if err := unix.Sendmsg(n.out, text, rights, n.manager, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("notify service manager: %w", err)
	}
	return nil
}
