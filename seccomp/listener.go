package seccomp

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"time"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// agentAnswer is how long an agent may take to accept a connection and to
// receive the message.
const agentAnswer = 10 * time.Second

// Agent is a connection to the seccomp agent at a profile's listenerPath, for
// one listener (config-linux.md, Container Process State).
type Agent struct{ conn *net.UnixConn }

// Dial connects to an agent. Its errors are *config.FieldError.
func Dial(ctx context.Context, path string) (*Agent, error) {
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
	return &Agent{conn.(*net.UnixConn)}, nil
}

// CheckAgent returns an error unless there is a socket at a listenerPath.
func CheckAgent(path string) error {
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
func (a *Agent) Send(listener *os.File, state specs.ContainerProcessState) error {
	state.Fds = []string{specs.SeccompFdName}
	text, err := json.Marshal(state)
	if err != nil {
		return err
	}
	if err := a.conn.SetWriteDeadline(time.Now().Add(agentAnswer)); err != nil {
		return err
	}
	n, _, err := a.conn.WriteMsgUnix(text, unix.UnixRights(int(listener.Fd())), nil)
	if err == nil && n < len(text) {
		_, err = a.conn.Write(text[n:])
	}
	if err != nil {
		return config.FieldErrorf("listenerPath", "send the listener: %w", err)
	}
	return nil
}

// Close ends the connection.
func (a *Agent) Close() { a.conn.Close() }
