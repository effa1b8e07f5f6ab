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
	b.console = &console{listener}
	go b.console.take()
}

// take holds each received terminal; the runtime must report errors and missing
// terminals.
func (c *console) take() {
	var held []*os.File // closed when the program ends
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
				held = append(held, os.NewFile(uintptr(fd), "terminal"))
			}
		}
	}
}
