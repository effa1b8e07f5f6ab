// Package agent passes the listener of a seccomp filter to its agent (config-linux.md,
// Container Process State).
package agent

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/berth-oci/berth/internal/codec"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// agentAnswer is how long an agent may take to accept a connection and to
// receive the message.
const agentAnswer = 10 * time.Second

// Conn is a connection to the seccomp agent at a profile's listenerPath, for
// one listener (config-linux.md, Container Process State).
type Conn struct{ conn *net.UnixConn }

// Dial connects to an agent. Its errors are *config.FieldError.
func Dial(ctx context.Context, path string) (*Conn, error) {
	if err := sys.CheckSocketPath(path); err != nil {
		return nil, config.FieldErrorf("listenerPath", "%q: %w", path, err)
	}
	dialer := net.Dialer{Timeout: agentAnswer}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		var errno unix.Errno
		if errors.As(err, &errno) {
			err = errno
		}
		return nil, config.FieldErrorf("listenerPath", "%q: %w (is the seccomp agent running?)", path, err)
	}
	return &Conn{conn.(*net.UnixConn)}, nil
}

// Check returns an error unless there is a socket at a listenerPath.
func Check(path string) error {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	if err == nil && st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		err = unix.ENOTSOCK
	}
	if err != nil {
		return config.FieldErrorf("listenerPath", "%q: %w (is the seccomp agent running?)", path, err)
	}
	return nil
}

// Send sends a listener and the state of its container.
func (c *Conn) Send(listener *os.File, state specs.ContainerProcessState) error {
	state.Fds = []string{specs.SeccompFdName}
	text, err := codec.Marshal(&state, codec.EncodeProcessState)
	if err != nil {
		return err
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(agentAnswer)); err != nil {
		return err
	}
	n, _, err := c.conn.WriteMsgUnix(text, unix.UnixRights(int(listener.Fd())), nil)
	if err == nil && n < len(text) {
		_, err = c.conn.Write(text[n:])
	}
	if err != nil {
		return config.FieldErrorf("listenerPath", "send the listener: %w", err)
	}
	return nil
}

// Close ends the connection.
func (c *Conn) Close() { c.conn.Close() }
