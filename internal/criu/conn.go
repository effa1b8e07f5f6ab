package criu

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Conn is the connection to a CRIU process, for one request.
type Conn struct {
	sock *os.File
	criu *stub.Child // nil until it is executed
	// killed means that Kill was called.
	killed bool
	// init is the restored init until it runs, 0 before.
	init int
	// serving is set by Serve, and stop ends its wait for the end of the context.
	serving bool
	stop    func() bool
	// theirs is CRIU's end, until CRIU is executed. output is its standard output and
	// error.
	theirs, output *os.File
}

// serverFD is the descriptor of the connection in CRIU.
const serverFD = 3

// FirstFile is the first descriptor in CRIU after those of Files.
const FirstFile = serverFD + 1

// NewConn makes a connection. The process that calls it must make all requests: CRIU
// reads descriptors of the process that made the socket.
func NewConn() (*Conn, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	c := &Conn{sock: os.NewFile(uintptr(fds[0]), "criu"), theirs: os.NewFile(uintptr(fds[1]), "criu's end")}
	out, err := unix.MemfdCreate("criu-output", unix.MFD_CLOEXEC)
	if err != nil {
		c.Close()
		return nil, os.NewSyscallError("memfd_create", err)
	}
	c.output = os.NewFile(uintptr(out), "criu's output")
	return c, nil
}

// Files returns the descriptors of the CRIU process, for stub.Options.
func (c *Conn) Files() []*os.File { return []*os.File{nil, c.output, c.output, c.theirs} }

// Execute executes CRIU in a stub that has Files. The caller reaps it after the request.
func (c *Conn) Execute(child *stub.Child, path string) error {
	child.Execve(path, []string{"criu", "swrk", fmt.Sprint(serverFD)}, os.Environ())
	err := child.Do()
	c.criu = child
	c.theirs.Close()
	var call *stub.Error
	if errors.As(err, &call) && call.Call == "execve" && call.Errno != 0 {
		err = call.Errno
	}
	if err != nil {
		return fmt.Errorf("execute CRIU %q: %w", path, err)
	}
	return nil
}

// Serve lets CRIU wait for others without a limit, until the end of ctx, upon which it is
// killed. The caller must not hold a lock.
func (c *Conn) Serve(ctx context.Context) {
	c.serving = true
	c.stop = context.AfterFunc(ctx, func() { c.criu.Kill() }) //nolint:errcheck // it has ended, or its end is awaited
}

// Serves reports whether Serve was called.
func (c *Conn) Serves() bool { return c.serving }

// Close ends the connection. CRIU exits after its request.
func (c *Conn) Close() {
	for _, f := range []*os.File{c.sock, c.theirs, c.output} {
		if f != nil {
			f.Close()
		}
	}
}

// lastTime is how long CRIU may take to exit after its reply.
const lastTime = 10 * time.Second

// Finish closes the connection and reaps CRIU, which it kills if it does not exit.
func (c *Conn) Finish() error {
	c.Close()
	if c.stop != nil {
		c.stop()
	}
	n, err := poll([]unix.PollFd{sys.PollFd(c.criu.Pidfd, unix.POLLIN)}, lastTime)
	switch {
	case err != nil:
		return err
	case n > 0:
		return c.criu.Reap()
	}
	go c.criu.Reap() //nolint:errcheck // no caller is left
	return c.criu.Kill()
}

// Notification is a moment in a request. CRIU waits until it is answered.
type Notification struct {
	// Script is the name of the moment, as in "criu --action-script".
	Script string
	// Pid is of init, in "setup-namespaces" and "post-restore".
	Pid int
	// File is the master of a terminal, in "orphan-pts-master". Notified must close it.
	File *os.File
}

// Do makes a request, and calls notified for each notification: an error fails the
// request, and is returned after CRIU has undone its work. Pid is the restored init.
func (c *Conn) Do(k Kind, o *Options, notified func(Notification) error) (pid int, err error) {
	var request message
	request.number(1, int64(k))
	request.bytes(2, o.encode())
	var refused error
	for {
		r, file, err := c.exchange(request)
		if err != nil {
			return 0, c.broken(k, err, refused)
		}
		if r.kind != notify || !r.success {
			return r.pid, errors.Join(refused, r.err(k, refused != nil))
		}
		c.followInit(r)
		err = notified(Notification{Script: r.script, Pid: r.pid, File: file})
		if refused == nil {
			refused = err
		}
		request = nil
		request.number(1, int64(notify))
		request.number(3, boolean(err == nil))
	}
}

// followInit sets init when a notification has it, until the restored processes run.
func (c *Conn) followInit(r reply) {
	switch {
	case r.script == "pre-resume":
		c.init = 0
	case r.pid != 0:
		c.init = r.pid
	}
}

// Kill kills CRIU in a notification that it would not undo. The refusal of that is then
// the error of the request.
func (c *Conn) Kill() error {
	c.killed = true
	return c.criu.Kill()
}

// broken returns the error of a request that has no reply.
func (c *Conn) broken(k Kind, err, refused error) error {
	switch {
	case c.killed, errors.Is(refused, context.Canceled), errors.Is(refused, context.DeadlineExceeded):
		return refused // the caller has killed CRIU
	case errors.Is(err, ErrEnded):
		err = &Error{Kind: k, Ended: err}
	}
	return errors.Join(err, refused) // what notified could not do may follow from the end of CRIU
}

// err returns the error of the last reply to a request. A failure that a refused
// notification has caused needs no explanation.
func (r *reply) err(k Kind, refused bool) error {
	switch {
	case r.success && r.kind != k:
		return fmt.Errorf("criu: reply %s to request %s", r.kind, k)
	case r.success || refused:
		return nil
	}
	return &Error{Kind: k, Errno: r.errno, Message: firstError(r.message)}
}

func boolean(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// maxReply is the limit for a reply, in bytes. CRIU's own is smaller.
const maxReply = 64 << 10

// exchange sends a message and receives the next one, which may have a descriptor.
func (c *Conn) exchange(request message) (r reply, file *os.File, err error) {
	if _, err := c.sock.Write(request); err != nil && !errors.Is(err, unix.EPIPE) {
		return r, nil, fmt.Errorf("write to CRIU: %w", err)
	}
	if err := c.await(); err != nil {
		return r, nil, err
	}
	text, rights := make([]byte, maxReply), make([]byte, unix.CmsgSpace(4))
	n, m, err := 0, 0, error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		n, m, _, _, err = unix.Recvmsg(int(c.sock.Fd()), text, rights, unix.MSG_CMSG_CLOEXEC)
	}
	if err != nil && !errors.Is(err, unix.ECONNRESET) {
		return r, nil, fmt.Errorf("read from CRIU: %w", err)
	}
	if n <= 0 {
		return r, nil, fmt.Errorf("%w%s", ErrEnded, c.said())
	}
	if r, err = decode(text[:n]); err == nil {
		file, err = received(rights[:m])
	}
	return r, file, err
}

// await waits for a message or the end of CRIU, and kills a CRIU that will not answer. The
// connection alone does not show the end of a CRIU that was killed: processes that it has
// forked have its other end, too.
func (c *Conn) await() error {
	w := watch{conn: c, work: c.work(), at: time.Now()}
	for {
		// The kernel looks at them in this order: a CRIU that has ended has sent its reply before.
		fds := []unix.PollFd{sys.PollFd(c.criu.Pidfd, unix.POLLIN), sys.PollFd(c.sock, unix.POLLIN)}
		n, err := poll(fds, stallTime/looks)
		switch {
		case err != nil:
			return err
		case fds[1].Revents != 0:
			return nil
		case n > 0:
			return fmt.Errorf("%w%s", ErrEnded, c.said())
		}
		if reason := w.hopeless(); reason != "" {
			return errors.Join(fmt.Errorf("%w: it was killed because %s", ErrEnded, reason), c.criu.Kill())
		}
	}
}

// poll is poll(2) until an event or the end of a time.
func poll(fds []unix.PollFd, limit time.Duration) (n int, err error) {
	for end := time.Now().Add(limit); ; {
		n, err = unix.Poll(fds, int(max(0, time.Until(end)).Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			return n, os.NewSyscallError("poll", err)
		}
	}
}

// received returns the descriptor of a control message, if any.
func received(rights []byte) (*os.File, error) {
	list, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	fds, err := unix.ParseUnixRights(&list[0])
	if err != nil || len(fds) == 0 {
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "terminal"), nil
}

// said returns what CRIU has printed, for an error message.
func (c *Conn) said() string {
	text, err := sys.ReadAtMost(fmt.Sprintf("/proc/self/fd/%d", c.output.Fd()), maxReply)
	lines := strings.Join(strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' }), "; ")
	if err != nil || lines == "" {
		return ""
	}
	return ": " + lines
}

// version asks CRIU for its version.
func (c *Conn) version() (Version, error) {
	var request message
	request.number(1, int64(version))
	r, _, err := c.exchange(request)
	if err == nil {
		err = r.err(version, false)
	}
	return r.version, err
}
