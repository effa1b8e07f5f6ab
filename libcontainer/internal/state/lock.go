package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Lock is the lock on a container's directory. Operations that change the container
// hold it.
type Lock struct {
	Dir  *os.File
	once sync.Once
}

// ErrLocked means that another command holds the lock.
var ErrLocked = errors.New("another command is working on the container: try again")

// CheckOwner returns ErrNotOwner if a container's directory belongs to another user,
// whose state could name any cgroup to kill and any hook to run.
func CheckOwner(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	if int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%w, %d: %q is not trusted (run berth as that user)", ErrNotOwner, st.Uid, f.Name())
	}
	return nil
}

// LockDir locks a container's directory, and waits for at most the given time. Errors
// are ErrLocked, ErrNotExist and ErrNotOwner.
func LockDir(dir string, wait time.Duration) (*Lock, error) {
	f, err := openDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("lock state: %w", err)
	}
	if err = CheckOwner(f); err == nil {
		err = flock(f, wait)
	}
	if err == nil {
		err = isAt(f, dir)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &Lock{Dir: f}, nil
}

// flock locks f.
func flock(f *os.File, wait time.Duration) error {
	err := sys.Flock(f, wait)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	if err != nil {
		return fmt.Errorf("lock state: %w", err)
	}
	return nil
}

// isAt returns ErrNotExist if path no longer names the directory f: another command
// deleted the container.
func isAt(f *os.File, path string) error {
	var own, there unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &own); err != nil {
		return fmt.Errorf("lock state: %w", &fs.PathError{Op: "stat", Path: f.Name(), Err: err})
	}
	err := unix.Lstat(path, &there)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrNotExist
	case err != nil:
		return fmt.Errorf("lock state: %w", &fs.PathError{Op: "lstat", Path: path, Err: err})
	case own.Dev != there.Dev || own.Ino != there.Ino:
		return ErrNotExist
	}
	return nil
}

// Unlock releases the lock; it may be called again. Closing the file is not enough:
// until its execve, a process that another goroutine starts has a copy of the
// descriptor.
func (l *Lock) Unlock() {
	if l == nil { // a forced delete continues without the lock
		return
	}
	l.once.Do(func() {
		unix.Flock(int(l.Dir.Fd()), unix.LOCK_UN) //nolint:errcheck // closing the last copy releases it, too
		l.Dir.Close()
	})
}

// StillThere returns ErrNotExist if a forced delete has removed the container
// without waiting for the lock.
func (l *Lock) StillThere(dir string) error { return isAt(l.Dir, dir) }
