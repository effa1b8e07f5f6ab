package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
)

// criuFlags returns the flags that checkpoint and restore share.
func criuFlags() []flag {
	return []flag{
		{name: "image-path", value: "checkpoint", usage: "use `DIR` for the image"},
		{name: "work-path", usage: "write CRIU's log to `DIR` (default: that of the image)"},
		{name: "tcp-established", kind: truth, usage: "allow open TCP connections"},
		{name: "tcp-close", kind: truth, usage: "close TCP connections"},
		{name: "ext-unix-sk", kind: truth, usage: "allow connections to unix sockets outside the container"},
		{name: "shell-job", kind: truth, usage: "allow a terminal and a session from outside the container"},
		{name: "file-locks", kind: truth, usage: "allow file locks"},
		{name: "lazy-pages", kind: truth, usage: "transfer memory when it is needed"},
		{name: "manage-cgroups-mode", usage: "handle cgroups in this `MODE`: soft, full, strict or ignore"},
		{name: "empty-ns", kind: texts, usage: "restore the namespace of this `TYPE` empty: network"},
		{name: "auto-dedup", kind: truth, usage: "remove memory from the parent image that is saved again or restored"},
	}
}

func (a *app) checkpointCommand() command {
	return command{
		usage: "save a running container as an image on disk, with CRIU",
		args:  "ID",
		flags: append(criuFlags(),
			flag{name: "parent-path", usage: "save only memory that has changed since the checkpoint in `DIR`, relative to the image"},
			flag{name: "leave-running", kind: truth, usage: "do not stop the container"},
			flag{name: "pre-dump", kind: truth, usage: "save only memory, for a later checkpoint, and do not stop the container"},
			flag{name: "tcp-skip-in-flight", kind: truth, usage: "skip TCP connections that are not yet accepted"},
			flag{name: "link-remap", kind: truth, usage: "allow open files that were deleted but have other links"},
			flag{name: "network-lock", usage: "stop network traffic by this `METHOD`: iptables, nftables or skip"},
			flag{name: "page-server", usage: "send memory to the page server at `ADDRESS:PORT`"},
			flag{name: "status-fd", kind: number, value: -1, usage: "write a zero byte to descriptor `N` when the server for --lazy-pages is ready"}),
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			o, err := checkpointOptions(l)
			if err != nil {
				return err
			}
			c, err := a.container(l)
			if err != nil {
				return err
			}
			return c.Checkpoint(ctx, o)
		},
	}
}

// criuOptions converts the flags of criuFlags.
func criuOptions(l *line) libcontainer.CriuOptions {
	return libcontainer.CriuOptions{
		Criu:            l.text("criu"),
		ImagesDir:       l.text("image-path"),
		WorkDir:         l.text("work-path"),
		TCPEstablished:  l.truth("tcp-established"),
		TCPClose:        l.truth("tcp-close"),
		ExtUnixSk:       l.truth("ext-unix-sk"),
		ShellJob:        l.truth("shell-job"),
		FileLocks:       l.truth("file-locks"),
		LazyPages:       l.truth("lazy-pages"),
		ManageCgroups:   l.text("manage-cgroups-mode"),
		EmptyNamespaces: l.texts("empty-ns"),
		AutoDedup:       l.truth("auto-dedup"),
	}
}

func checkpointOptions(l *line) (o libcontainer.CheckpointOptions, err error) {
	o = libcontainer.CheckpointOptions{
		CriuOptions:     criuOptions(l),
		ParentDir:       l.text("parent-path"),
		LeaveRunning:    l.truth("leave-running"),
		PreDump:         l.truth("pre-dump"),
		TCPSkipInFlight: l.truth("tcp-skip-in-flight"),
		LinkRemap:       l.truth("link-remap"),
		NetworkLock:     l.text("network-lock"),
	}
	if o.PageServer, err = pageServer(l.text("page-server")); err != nil {
		return o, err
	}
	o.Status, err = statusFile(l.number("status-fd"))
	return o, err
}

// pageServer parses --page-server; nil if it is not set.
func pageServer(address string) (*libcontainer.PageServer, error) {
	if address == "" {
		return nil, nil
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil || host == "" || text == "" {
		return nil, errors.New("Use --page-server ADDRESS:PORT to specify page server") //nolint:staticcheck // the text of runc
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return nil, fmt.Errorf("Invalid port number: --page-server %q", address) //nolint:staticcheck // the text of runc
	}
	return &libcontainer.PageServer{Address: host, Port: port}, nil
}

// statusFile returns the descriptor of --status-fd; nil if it is not set.
func statusFile(fd int) (*os.File, error) {
	if fd == -1 {
		return nil, nil
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return nil, fmt.Errorf("invalid --status-fd argument %d: %w", fd, err)
	}
	if flags&(unix.O_WRONLY|unix.O_RDWR) == 0 {
		return nil, fmt.Errorf("invalid --status-fd argument %d: not writable", fd)
	}
	return os.NewFile(uintptr(fd), "--status-fd"), nil
}
