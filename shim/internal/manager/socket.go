package manager

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/errdefs"
)

// socket is a listening socket that the shim inherits.
type socket struct {
	address  string
	listener *net.UnixListener
	file     *os.File
}

// listen makes the sockets of a group: the service's, and with Debug one for profiles. The
// error is errdefs.ErrAlreadyExists, with the first socket, if a shim serves the group.
func listen(ctx context.Context, o shim.StartOpts, group string) ([]*socket, error) {
	var sockets []*socket
	for _, debug := range []bool{false, true} {
		if debug && !o.Debug {
			break
		}
		s, err := newSocket(ctx, o.Address, group, debug)
		if s != nil {
			sockets = append(sockets, s)
		}
		if err != nil {
			return sockets, err
		}
	}
	return sockets, nil
}

func newSocket(ctx context.Context, containerd, group string, debug bool) (*socket, error) {
	address, err := shim.SocketAddress(ctx, containerd, group, debug)
	if err != nil {
		return nil, err
	}
	listener, err := shim.NewSocket(address)
	if err != nil && shim.SocketEaddrinuse(err) {
		if !debug && shim.CanConnect(address) {
			return &socket{address: address}, errdefs.ErrAlreadyExists
		}
		// A shim that was killed has left it.
		if err := shim.RemoveSocket(address); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("remove the socket of a killed shim: %w", err)
		}
		listener, err = shim.NewSocket(address)
	}
	if err != nil {
		return nil, fmt.Errorf("make socket: %w", err)
	}
	// The shim removes it.
	listener.SetUnlinkOnClose(false)
	file, err := listener.File()
	if err != nil {
		return nil, errors.Join(err, listener.Close(), shim.RemoveSocket(address))
	}
	return &socket{address: address, listener: listener, file: file}, nil
}

// closeAll removes the sockets after a failed start.
func closeAll(sockets []*socket) {
	for _, s := range sockets {
		if s.listener == nil {
			continue
		}
		s.listener.Close()
		s.file.Close()
		if err := shim.RemoveSocket(s.address); err != nil {
			fmt.Fprintln(os.Stderr, "remove socket:", err)
		}
	}
}
