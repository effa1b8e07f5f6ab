// Command probe does for the integration tests what a shell cannot: for example, it is
// the other end of a console socket, and reads a clock.
//
//	probe recvtty SOCKET DIR
//
// listens on SOCKET, accepts one connection, writes the message to DIR/payload and the
// number of its descriptors to DIR/descriptors, types the content of DIR/input (if it
// exists) into the terminal and copies the terminal's output to DIR/output until it
// hangs up.
//
//	probe recvpidfd SOCKET DIR
//
// listens on SOCKET, accepts one connection, and writes the message and the process ID
// of the received pidfd to DIR/pidfd.
//
//	probe monotonic
//
// prints the seconds of CLOCK_MONOTONIC.
//
//	probe securebits
//
// prints its securebits (capabilities(7)).
//
//	probe dropinfirst CAPABILITY
//
// drops a capability, by its number, in its first thread alone, prints "dropped" and
// stays.
//
//	probe without CAPABILITY COMMAND...
//
// executes a command, a path, without a capability.
//
//	probe keylabel
//
// prints the SELinux label of its session keyring.
//
//	probe leavekeyring COMMAND...
//
// executes a command in a new session keyring without a name; its last argument is the
// number of the old one.
//
//	probe fillkeyring LEFT
//
// adds keys to its session keyring until its user's quota is used up, prints "full" and
// stays. It first waits until the keyring LEFT is gone, unless that is 0.
//
//	probe below PID DIR...
//
// unmounts the root of a process and prints the types of the file systems of directories
// in the root below.
//
//	probe nonblocking COMMAND...
//
// executes a command with a non-blocking socket as its descriptor 3.
//
//	probe lock FILE COMMAND...
//
// locks a file, and executes a command, a path, that keeps the lock.
//
//	probe lease FILE
//
// takes a write lease on a file (fcntl(2)), prints "leased" and stays.
//
//	probe stop
//
// stops all processes that it sees except itself, without an end.
//
//	probe reap COMMAND...
//
// runs a command, and is the parent of orphans.
//
//	probe calls NAME[,ARG0]...
//
// makes system calls, with -1 for the other arguments, and prints their results.
//
//	probe deny fail|lack|kill NAME[,NAME...] COMMAND...
//
// executes a command for which system calls are denied: a call fails with EPERM or
// ENOSYS, or kills the caller.
//
//	probe filter PID
//
// prints the flags and the actions of a process's filter, as the kernel has them.
//
//	probe agent SOCKET DIR
//
// listens on SOCKET for listeners of seccomp filters, writes the Nth message to
// DIR/state.N, and answers getppid with 4242; the kernel continues other calls.
//
//	probe spy
//
// prints, without an end, what it can access of the runtime's processes.
//
//	probe families LIST COMMAND...
//
// executes a command that may make sockets only of the address families in the list,
// which are numbers separated by commas.
//
//	probe stall DIR
//
// mounts a file system that never answers.
//
//	probe silent DIR
//
// mounts a file system that answers only for its root.
//
//	probe backlog SOCKET
//
// listens on SOCKET, and fills the backlog itself.
//
//	probe terminals DIR NUMBER
//
// mounts a file system with files on which all ioctls return the number.
//
//	probe manage SOCKET FILE
//
// writes the messages of services to a file, as Go strings.
//
//	probe notify MESSAGE...
//
// sends messages to the service manager.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// commands are the subcommands of the probe; the last argument of a usage that ends in
// "..." may be repeated.
var commands = []struct {
	usage string
	do    func(args []string) error
}{
	{"recvtty SOCKET DIR", func(args []string) error { return recvtty(args[0], args[1]) }},
	{"recvpidfd SOCKET DIR", func(args []string) error { return recvpidfd(args[0], args[1]) }},
	{"monotonic", func([]string) error { return monotonic() }},
	{"seals FILE", func(args []string) error { return seals(args[0]) }},
	{"securebits", func([]string) error { return securebits() }},
	{"dropinfirst CAPABILITY", func(args []string) error { return dropInFirst(args[0]) }},
	{"without CAPABILITY COMMAND...", func(args []string) error { return without(args[0], args[1:]) }},
	{"keylabel", func([]string) error { return keylabel() }},
	{"leavekeyring COMMAND...", leaveKeyring},
	{"fillkeyring LEFT", func(args []string) error { return fillKeyring(args[0]) }},
	{"below PID DIR...", func(args []string) error { return below(args[0], args[1:]) }},
	{"nonblocking COMMAND...", nonblocking},
	{"lock FILE COMMAND...", func(args []string) error { return lock(args[0], args[1:]) }},
	{"lease FILE", func(args []string) error { return lease(args[0]) }},
	{"stop", func([]string) error { return stop() }},
	{"reap COMMAND...", reap},
	{"manage SOCKET FILE", func(args []string) error { return manage(args[0], args[1]) }},
	{"notify MESSAGE...", notify},
	{"calls NAME[,ARG0]...", calls},
	{"filter PID", func(args []string) error { return filter(args[0]) }},
	{"deny HOW CALL COMMAND...", deny},
	{"agent SOCKET DIR", func(args []string) error { return agent(args[0], args[1]) }},
	{"families LIST COMMAND...", func(args []string) error { return families(args[0], args[1:]) }},
	{"spy", func([]string) error { return spy() }},
	{"stall DIR", func(args []string) error { return stall(args[0]) }},
	{"silent DIR", func(args []string) error { return silent(args[0]) }},
	{"backlog SOCKET", func(args []string) error { return backlog(args[0]) }},
	{"terminals DIR NUMBER", func(args []string) error { return fakeTerminals(args[0], args[1]) }},
}

func main() {
	for _, c := range commands {
		words := strings.Fields(c.usage)
		if len(os.Args) < 2 || os.Args[1] != words[0] {
			continue
		}
		args := os.Args[2:]
		if want := len(words) - 1; len(args) != want && (len(args) < want || !strings.HasSuffix(c.usage, "...")) {
			break
		}
		if err := c.do(args); err != nil {
			fmt.Fprintln(os.Stderr, "probe:", err)
			os.Exit(1)
		}
		return
	}
	for _, c := range commands {
		fmt.Fprintln(os.Stderr, "usage: probe", c.usage)
	}
	os.Exit(2)
}

// seals prints the seals of a memory file (memfd_create(2)).
func seals(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	set, err := unix.FcntlInt(f.Fd(), unix.F_GET_SEALS, 0)
	if err != nil {
		return err
	}
	var names []string
	for _, seal := range []struct {
		bit  int
		name string
	}{{unix.F_SEAL_SEAL, "seal"}, {unix.F_SEAL_SHRINK, "shrink"}, {unix.F_SEAL_GROW, "grow"}, {unix.F_SEAL_WRITE, "write"}} {
		if set&seal.bit != 0 {
			names = append(names, seal.name)
		}
	}
	fmt.Println(strings.Join(names, " "))
	return nil
}

// backlog listens without ever accepting, and fills its own backlog.
func backlog(socket string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	name := &unix.SockaddrUnix{Name: socket + ".new"} // the final name appears when the backlog is full
	if err := errors.Join(unix.Bind(fd, name), unix.Listen(fd, 0)); err != nil {
		return err
	}
	for err == nil {
		var client int
		if client, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0); err == nil {
			err = unix.Connect(client, name)
		}
	}
	if !errors.Is(err, unix.EAGAIN) {
		return err
	}
	if err := os.Rename(name.Name, socket); err != nil {
		return err
	}
	return unix.Pause()
}

func securebits() error {
	bits, err := unix.PrctlRetInt(unix.PR_GET_SECUREBITS, 0, 0, 0, 0)
	if err == nil {
		fmt.Println(bits)
	}
	return err
}

func keylabel() error {
	label := make([]byte, 256)
	n, err := unix.KeyctlBuffer(unix.KEYCTL_GET_SECURITY, unix.KEY_SPEC_SESSION_KEYRING, label, 0)
	if err == nil {
		fmt.Println(strings.TrimRight(string(label[:n]), "\x00"))
	}
	return err
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

// receive accepts one connection and reads one message.
func receive(socket string) (payload []byte, fds []int, err error) {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	return receiveFrom(listener)
}

// receiveFrom accepts the next connection and reads one message.
func receiveFrom(listener *net.UnixListener) (payload []byte, fds []int, err error) {
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

// converse types the input and keeps the output. Reading the master of a terminal that
// no process has open fails with EIO.
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
