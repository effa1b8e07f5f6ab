package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// readingTime is the time between the arrival of a descriptor and its close, as of a
// manager with other work to do.
const readingTime = 200 * time.Millisecond

// barrierTime is the time for which a service waits until its messages have been read.
const barrierTime = time.Minute

// manage is a service manager's side of sd_notify(3): it writes the messages to a file.
// It closes descriptors after a while, and writes that too.
func manage(socket, file string) error {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return err
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	message, control := make([]byte, 4096), make([]byte, 256)
	for {
		n, controlLen, _, _, err := conn.ReadMsgUnix(message, control)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%q\n", message[:n]); err != nil {
			return err
		}
		messages, err := unix.ParseSocketControlMessage(control[:controlLen])
		if err != nil {
			return err
		}
		for i := range messages {
			fds, err := unix.ParseUnixRights(&messages[i])
			if err != nil {
				return err
			}
			time.Sleep(readingTime)
			if _, err := fmt.Fprintf(out, "%d descriptors closed\n", len(fds)); err != nil {
				return err
			}
			for _, fd := range fds {
				unix.Close(fd)
			}
		}
	}
}

// notify is the service's side: it sends each message separately. With BARRIER=1 it
// waits as sd_notify_barrier(3) does.
func notify(messages []string) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	to := &unix.SockaddrUnix{Name: os.Getenv("NOTIFY_SOCKET")}
	for _, message := range messages {
		send := func(rights []byte) error { return unix.Sendmsg(fd, []byte(message), rights, to, 0) }
		if message == "BARRIER=1" {
			err = errors.Join(err, barrier(send))
		} else {
			err = errors.Join(err, send(nil))
		}
	}
	return err
}

// barrier sends one end of a pipe, and waits until every process has closed it.
func barrier(send func(rights []byte) error) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	err = send(unix.UnixRights(int(w.Fd())))
	w.Close()
	if err != nil {
		return err
	}
	if err := r.SetReadDeadline(time.Now().Add(barrierTime)); err != nil {
		return err
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("barrier: %w", err)
	}
	fmt.Println("let through")
	return nil
}
