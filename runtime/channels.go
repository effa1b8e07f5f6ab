package ociruntime

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/berth-oci/berth/libcontainer"
)

// ends are what a program is to be connected with, and who is to know of it.
type ends struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	pipes          bool
	// terminal is process.terminal.
	terminal      bool
	consoleSocket string
	// consoleRequired refuses a terminal that nobody would hold.
	consoleRequired bool
	pidfdSocket     string
	pidFile         string
}

// below makes the paths of sockets relative to a directory.
func (e ends) below(dir string) ends {
	for _, path := range []*string{&e.consoleSocket, &e.pidfdSocket} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	return e
}

// channels lead from a program to its ends. They are opened before there is
// one, so that nothing is to be undone when that fails.
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

// close closes what is of no use when the program has its descriptors.
func (ch *channels) close() {
	ch.terminal.close()
	ch.pidfd.close()
	ch.stdio.close()
}

// io is how the program is connected.
func (ch *channels) io(extra []*os.File) libcontainer.IO {
	return libcontainer.IO{Stdio: ch.stdio.files, ExtraFiles: extra, Console: ch.terminal.take}
}

// announce begins to copy for the process, a child of this one, and tells of
// it. Kind is what it is to those who get its pidfd.
func (ch *channels) announce(pid int, kind string) error {
	ch.stdio.begin()
	err := ch.pidfd.send(pid, kind)
	if err == nil && ch.pidFile != "" {
		err = writePidFile(ch.pidFile, pid)
	}
	return err
}

// fail closes what a program that there will not be had left.
func (ch *channels) fail(err error) error { return errors.Join(err, ch.terminal.hangUp()) }
