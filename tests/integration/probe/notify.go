package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// readingTime is what the manager takes from a descriptor's arrival to letting
// go of it, as one that has other things to do.
const readingTime = 200 * time.Millisecond

// manage is a service manager's side of sd_notify(3): what it is sent goes to
// a file. Descriptors are closed after a while, which is told there too.
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

// notify is the service's side: it sends each message by itself.
func notify(messages []string) error {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		return err
	}
	for _, message := range messages {
		if _, e := conn.Write([]byte(message)); e != nil {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, conn.Close())
}
