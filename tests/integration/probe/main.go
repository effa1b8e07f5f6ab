// Command probe does, for the integration tests, what a shell cannot: it is
// the other end of a console socket, and reads a clock.
//
//	probe recvtty SOCKET DIR
//
// listens on SOCKET, takes one connection, writes what came into DIR/payload
// and the number of descriptors that came with it into DIR/descriptors, types
// the content of DIR/input (if there is one) into the terminal and copies
// what is printed there to DIR/output until the terminal hangs up.
//
//	probe monotonic
//
// prints the seconds of CLOCK_MONOTONIC.
//
//	probe below PID DIR...
//
// takes the root of a process away and prints what file systems the
// directories of the root below are on.
//
//	probe nonblocking COMMAND...
//
// executes a command with a socket that does not block as its descriptor 3.
//
//	probe reap COMMAND...
//
// runs a command, and is the parent of those that lose theirs.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 4 && os.Args[1] == "recvtty":
		err = recvtty(os.Args[2], os.Args[3])
	case len(os.Args) == 2 && os.Args[1] == "monotonic":
		err = monotonic()
	case len(os.Args) > 3 && os.Args[1] == "below":
		err = below(os.Args[2], os.Args[3:])
	case len(os.Args) > 2 && os.Args[1] == "nonblocking":
		err = nonblocking(os.Args[2:])
	case len(os.Args) > 2 && os.Args[1] == "reap":
		err = reap(os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, "usage: probe recvtty SOCKET DIR | probe monotonic | probe below PID DIR... | probe nonblocking COMMAND... | probe reap COMMAND...")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func monotonic() error {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return err
	}
	_, err := fmt.Println(ts.Sec)
	return err
}

func recvtty(socket, dir string) error {
	payload, fds, err := receive(socket)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "payload"), payload, 0o644); err != nil {
		return err
	}
	count := fmt.Appendf(nil, "%d\n", len(fds))
	if err := os.WriteFile(filepath.Join(dir, "descriptors"), count, 0o644); err != nil {
		return err
	}
	if len(fds) != 1 {
		return fmt.Errorf("%d descriptors in one message", len(fds))
	}
	return converse(os.NewFile(uintptr(fds[0]), "terminal"), dir)
}

// receive takes one message of one connection.
func receive(socket string) (payload []byte, fds []int, err error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	conn, err := listener.AcceptUnix()
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	payload, control := make([]byte, 4096), make([]byte, 256)
	n, controlLen, _, _, err := conn.ReadMsgUnix(payload, control)
	if err != nil {
		return nil, nil, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:controlLen])
	if err != nil {
		return nil, nil, err
	}
	for i := range messages {
		some, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return nil, nil, err
		}
		fds = append(fds, some...)
	}
	return payload[:n], fds, nil
}

// converse types the input and keeps the output. Reading the master of a
// terminal that nobody has open any more fails with EIO.
func converse(terminal *os.File, dir string) error {
	defer terminal.Close()
	output, err := os.OpenFile(filepath.Join(dir, "output"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer output.Close()
	input, err := os.ReadFile(filepath.Join(dir, "input"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := terminal.Write(input); err != nil {
		return err
	}
	if _, err := io.Copy(output, terminal); err != nil && !errors.Is(err, unix.EIO) {
		return err
	}
	return nil
}
