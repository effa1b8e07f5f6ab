package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/codec"
	"github.com/berth-oci/berth/internal/sys"
)

// maxFile is the limit for the size of a state file, in bytes. The stub's region does
// not hold a config.json of this size.
const maxFile = 64 << 20

// openDir opens a container's directory; fs.ErrNotExist if it does not exist.
func openDir(dir string) (*os.File, error) {
	return sys.OpenFile(dir, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0) // not a FIFO, which would block
}

func readFile(dir, name string) ([]byte, error) {
	f, err := openDir(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readIn(f, name)
}

// readIn reads a file of a container's directory. Another user may own the directory:
// the file can be a FIFO, on which open would block, a symlink, or endless.
func readIn(dir *os.File, name string) ([]byte, error) {
	path := filepath.Join(dir.Name(), name)
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	switch {
	case err != nil:
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, fmt.Errorf("%q is not a regular file", path)
	case st.Size > maxFile:
		return nil, fmt.Errorf("%q has %d bytes, more than %d", path, st.Size, maxFile)
	}
	return sys.ReadFrom(fd, path, int(st.Size), maxFile)
}

// Read reads the state of a container from its directory; ErrNotExist if the state file
// does not exist.
func Read(dir string) (*State, error) {
	b, err := readFile(dir, stateFile)
	return parse(dir, b, err)
}

// Look reads the state like Read. Owner is ErrNotOwner if the container belongs to
// another user, who may have forged the state.
func Look(dir string) (s *State, owner, err error) {
	f, err := openDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, ErrNotExist
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	owner = CheckOwner(f)
	b, err := readIn(f, stateFile)
	s, err = parse(dir, b, err)
	if err != nil && owner != nil && !errors.Is(err, ErrNotExist) {
		err = owner // more useful than a fault in that user's file
	}
	return s, owner, err
}

func parse(dir string, b []byte, err error) (*State, error) {
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	s, err := codec.Unmarshal(b, decodeState)
	if err != nil {
		return nil, fmt.Errorf("read state %q: %w (the state is lost: kill the processes of the container, and remove the directory)", filepath.Join(dir, stateFile), err)
	}
	if s.ID != filepath.Base(dir) {
		return nil, fmt.Errorf("read state %q: it belongs to container %q", filepath.Join(dir, stateFile), s.ID)
	}
	if s.Version < version-1 || s.Version > version {
		return nil, fmt.Errorf("read state %q: its version is %d, this berth reads %d: use the berth that created the container", filepath.Join(dir, stateFile), s.Version, version)
	}
	return s, nil
}
