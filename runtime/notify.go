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

// NotifyProxy forwards the messages of a container's program to a service manager
// (sd_notify(3)).
type NotifyProxy struct {
	socket  *os.File
	out     int
	manager unix.Sockaddr
	mainPid int
	ready   chan error // gets one value: nil when the manager has read READY=1 and MAINPID
	done    chan struct{}
	ending  atomic.Bool // drain is called: wait for no more messages
}

// forwarded are the assignments that a program in a container may send. Others, such as
// MAINPID and FDSTORE, are about processes and files on the host.
var forwarded = [...]string{"READY", "RELOADING", "STOPPING", "STATUS", "ERRNO", "WATCHDOG", "EXTEND_TIMEOUT_USEC"}

// barrierLimit is the time that the manager has to read its messages.
const barrierLimit = 30 * time.Second

// Notify starts to forward the program's messages to socket, the value of NOTIFY_SOCKET
// in this process's environment. The container must have been created with
// CreateOptions.Notify, and not be started yet. When the program is ready, the manager
// gets mainPid as the process to watch.
func (c *Container) Notify(socket string, mainPid int) (*NotifyProxy, error) {
	if !strings.HasPrefix(socket, "/") && !strings.HasPrefix(socket, "@") {
		return nil, fmt.Errorf("NOTIFY_SOCKET %q: neither an absolute path nor an abstract name", socket)
	}
	out, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	limit := unix.NsecToTimeval(barrierLimit.Nanoseconds()) // a manager that does not read blocks its senders
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

// Ready returns when the manager has read that the program is ready, or when the
// container has ended. It returns an error of the manager once.
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
	case err := <-n.ready: // from the program's last message
		return err
	default:
		return nil
	}
}

// drain forwards the messages that have arrived, and stops the forwarding.
func (n *NotifyProxy) drain() error {
	n.ending.Store(true)
	if err := n.socket.SetReadDeadline(time.Now()); err != nil {
		return err
	}
	<-n.done
	return nil
}

// Close stops the forwarding.
func (n *NotifyProxy) Close() error {
	return errors.Join(n.drain(), n.socket.Close(), unix.Close(n.out))
}

// relay forwards messages until the socket is closed.
func (n *NotifyProxy) relay() {
	defer close(n.done)
	message := make([]byte, 4096)
	announced := false
	for {
		size, ok := n.receive(message)
		if !ok {
			return
		}
		text, ready := allowed(message[:size])
		if len(text) == 0 {
			continue
		}
		err := n.send(text, nil)
		if announced || !ready {
			continue // a later error is ignored: the manager may have gone
		}
		announced = true
		if err == nil {
			err = n.sendPid()
		}
		n.ready <- err
	}
}

// receive waits for a message. When ending is set, it takes only messages that have
// arrived; ok is false when there are no more.
func (n *NotifyProxy) receive(message []byte) (size int, ok bool) {
	size, err := n.socket.Read(message)
	if err == nil || errors.Is(err, io.EOF) { // an empty message reads as EOF
		return size, true
	}
	conn, err := n.socket.SyscallConn()
	if err != nil || !n.ending.Load() {
		return 0, false
	}
	e := conn.Control(func(fd uintptr) { size, _, err = unix.Recvfrom(int(fd), message, unix.MSG_DONTWAIT) })
	return size, e == nil && err == nil
}

// allowed returns the lines of a message that may be forwarded, and whether one of them
// says that the program is ready.
func allowed(message []byte) (text []byte, ready bool) {
	for line := range bytes.Lines(message) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		for _, name := range forwarded {
			if bytes.HasPrefix(line, []byte(name+"=")) {
				text = append(append(text, line...), '\n')
			}
		}
		ready = ready || string(line) == "READY=1"
	}
	return text, ready
}

// sendPid sends the manager the process to watch, and waits until the manager has read
// it: the manager may ignore messages of a process that has ended.
func (n *NotifyProxy) sendPid() error {
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
	return nil // EOF: the manager has closed the pipe
}

func (n *NotifyProxy) send(text, rights []byte) error {
	if err := unix.Sendmsg(n.out, text, rights, n.manager, unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("notify service manager: %w", err)
	}
	return nil
}
