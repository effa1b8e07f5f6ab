package ociruntime

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// testConsole returns a console of a new terminal.
func testConsole(t *testing.T) *Console {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newConsole(master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestConsoleKeepsLineFeeds(t *testing.T) {
	var modes *unix.Termios
	err := testConsole(t).control(func(fd int) (err error) {
		modes, err = unix.IoctlGetTermios(fd, unix.TCGETS)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if modes.Oflag&unix.ONLCR != 0 || modes.Oflag&unix.OPOST == 0 {
		t.Errorf("c_oflag %#o: want OPOST without ONLCR", modes.Oflag)
	}
}

func TestForegroundOfAClosedConsole(t *testing.T) {
	f := &Foreground{console: testConsole(t), copied: make(chan error, 1)}
	if err := f.console.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.drain(); err != nil {
		t.Error(err)
	}
}
