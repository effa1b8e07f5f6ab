package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestUnlockAtOnce unlocks while a copy of the descriptor exists, as in every process
// between fork and execve.
func TestUnlockAtOnce(t *testing.T) {
	dir := t.TempDir()
	l, err := LockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Dup(int(l.Dir.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := LockDir(dir, 0); !errors.Is(err, ErrLocked) {
		t.Errorf("locked twice: %v", err)
	}
	l.Unlock()
	if l, err = LockDir(dir, 0); err != nil {
		t.Fatal(err)
	}
	l.Unlock()
}

func TestStateOfAnother(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "c")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &State{Version: version, ID: "c"}
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(dir); err != nil || got.ID != "c" {
		t.Errorf("read %+v, %v", got, err)
	}
	s.ID = "d"
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || !strings.HasSuffix(err.Error(), `it belongs to container "d"`) {
		t.Errorf("another's: %v", err)
	}
}

// TestUnknownIsNotGone looks for a directory at a path that cannot be looked up:
// only a missing or another directory means that the container does not exist.
func TestUnknownIsNotGone(t *testing.T) {
	dir := t.TempDir()
	f, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	loop := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{
		dir: nil, dir + "/none": ErrNotExist, t.TempDir(): ErrNotExist,
		filepath.Join(loop, "c"): unix.ELOOP, filepath.Join(dir, strings.Repeat("c", unix.NAME_MAX+1)): unix.ENAMETOOLONG,
	} {
		if err := isAt(f, path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}
