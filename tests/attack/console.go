package main

import (
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// console receives the terminals of the containers and holds them: a created
// container ends when its terminal hangs up.
type console struct {
	*net.UnixListener
	held []*os.File // closed when the program ends
}

// terminal makes the containers have terminals.
func (b *bundle) terminal() {
	path := filepath.Join(b.limbo, "console.sock")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		b.must(err)
		return
	}
	b.spec.Process.Terminal = true
	b.args = append(b.args, "--console-socket", path)
	b.console = &console{UnixListener: listener}
	go b.console.take()
}

// take holds each received terminal; the runtime must report errors and missing
// terminals.
func (c *console) take() {
	for {
		conn, err := c.AcceptUnix()
		if err != nil {
			return
		}
		control := make([]byte, 64)
		_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 4096), control)
		conn.Close()
		if err != nil {
			continue
		}
		messages, err := unix.ParseSocketControlMessage(control[:n])
		if err != nil {
			continue
		}
		for i := range messages {
			fds, _ := unix.ParseUnixRights(&messages[i])
			for _, fd := range fds {
				c.held = append(c.held, os.NewFile(uintptr(fd), "terminal"))
			}
		}
	}
}
