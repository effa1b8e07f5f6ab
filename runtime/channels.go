package ociruntime

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/berth-oci/berth/libcontainer"
)

// ends are the ends that a program's descriptors are connected to, and the receivers of
// its terminal, its process ID and its pidfd.
type ends struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	pipes          bool
	waitDelay      time.Duration
	// terminal is process.terminal of config.json.
	terminal      bool
	consoleSocket string
	// consoleRequired refuses a terminal without a console socket.
	consoleRequired bool
	pidfdSocket     string
	pidFile         string
}

// below resolves relative socket paths from a directory.
func (e ends) below(dir string) ends {
	for _, path := range []*string{&e.consoleSocket, &e.pidfdSocket} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	return e
}

// channels connect a program to its ends. They are opened before the program exists, so
// that a failure leaves nothing to undo.
type channels struct {
	terminal *terminal
	stdio    *stdio
	pidfd    pidfdReceiver
	pidFile  string
}

func (e ends) open() (*channels, error) {
	ch := &channels{stdio: new(stdio), terminal: new(terminal), pidFile: e.pidFile}
	err := ch.connect(e)
	if err != nil {
		ch.close()
		return nil, err
	}
	return ch, nil
}

func (ch *channels) connect(e ends) error {
	if err := checkPidFile(e.pidFile); err != nil {
		return err
	}
	t, err := newTerminal(e)
	if err != nil {
		return err
	}
	ch.terminal = t
	if ch.pidfd, err = newPidfdReceiver(e.pidfdSocket); err != nil || e.terminal {
		return err
	}
	s, err := newStdio(e)
	if err != nil {
		return err
	}
	ch.stdio = s
	return nil
}

// close closes the descriptors that the runtime does not need once the program has its
// own.
func (ch *channels) close() {
	ch.terminal.close()
	ch.pidfd.close()
	ch.stdio.close()
}

// io returns the program's descriptors.
func (ch *channels) io(extra []*os.File) libcontainer.IO {
	return libcontainer.IO{Stdio: ch.stdio.files, ExtraFiles: extra, Console: ch.terminal.take}
}

// announce starts to copy input and output for the process, a child of this one, writes
// the PID file and sends the pidfd. Kind names the process to the receiver of its
// pidfd.
func (ch *channels) announce(pid int, kind string) error {
	ch.stdio.begin()
	err := ch.pidfd.send(pid, kind)
	if err == nil && ch.pidFile != "" {
		err = writePidFile(ch.pidFile, pid)
	}
	return err
}

// fail releases the resources of a failed start and returns err.
func (ch *channels) fail(err error) error { return errors.Join(err, ch.terminal.hangUp()) }
