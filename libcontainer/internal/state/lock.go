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

// Lock is held by whoever changes a container.
type Lock struct {
	Dir  *os.File
	once sync.Once
}

// ErrLocked means that someone else holds the lock.
var ErrLocked = errors.New("another command is working on the container: try again")

// CheckOwner refuses a container's directory that is another user's: the state
// names cgroups to kill and hooks to run.
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

// LockDir locks a container's directory. With wait 0 it does not wait.
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

// flock takes the lock on f.
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

// isAt returns ErrNotExist if the directory f is not at path any more: the
// container was deleted meanwhile.
func isAt(f *os.File, path string) error {
	own, err := f.Stat()
	if err != nil {
		return fmt.Errorf("lock state: %w", err)
	}
	there, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrNotExist
	case err != nil:
		return fmt.Errorf("lock state: %w", err)
	case !os.SameFile(own, there):
		return ErrNotExist
	}
	return nil
}

// Unlock gives the lock back; it may be called again. To close the file is not
// enough: a process that another goroutine is just starting has a copy of it,
// until it executes.
func (l *Lock) Unlock() {
	if l == nil { // see lockToDelete
		return
	}
	l.once.Do(func() {
		unix.Flock(int(l.Dir.Fd()), unix.LOCK_UN) //nolint:errcheck // closing does it, a moment later
		l.Dir.Close()
	})
}

// StillThere returns ErrNotExist if a forced delete has removed the container
// without waiting for the lock.
func (l *Lock) StillThere(dir string) error { return isAt(l.Dir, dir) }
