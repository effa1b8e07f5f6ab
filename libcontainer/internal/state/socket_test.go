package state

import (
	"errors"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDialOfAClosedListener dials the socket of a closed listener, as that of a stub that
// has ended, and one that never was.
func TestDialOfAClosedListener(t *testing.T) {
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	listener, err := Listen(dir, ControlFile)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := Dial(dir, ControlFile)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	listener.Close()
	if _, err := Dial(dir, ControlFile); !errors.Is(err, ErrNoListener) || !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("closed listener: got %v", err)
	}
	if _, err := Dial(dir, "absent"); errors.Is(err, ErrNoListener) || !errors.Is(err, unix.ENOENT) {
		t.Errorf("no socket: got %v", err)
	}
}
