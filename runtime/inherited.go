package ociruntime

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Inherited are descriptors that this process was started with for a
// container's program.
type Inherited struct {
	// Files are what was inherited as descriptors 3, 4, …: first the sockets
	// of socket activation, then those that were asked for.
	Files []*os.File
	// ListenFDs are how many of them are of the first kind.
	ListenFDs int
}

// PreservedFiles finds the first n descriptors behind the standard ones, as
// InheritedFiles does, but none of socket activation.
func PreservedFiles(n int) ([]*os.File, error) {
	in, err := inheritedFiles(0, n)
	return in.Files, err
}

// InheritedFiles finds the sockets that were passed to this process by the
// protocol of sd_listen_fds(3), and preserve descriptors behind them. Each must
// be open, and must have been so when this program was executed.
func InheritedFiles(preserve int) (Inherited, error) {
	return inheritedFiles(listenFDs(), preserve)
}

func inheritedFiles(listen, preserve int) (Inherited, error) {
	if preserve < 0 {
		return Inherited{}, fmt.Errorf("preserve %d descriptors: want 0 or more", preserve)
	}
	in := Inherited{ListenFDs: listen}
	for i := range listen + preserve {
		fd := 3 + i
		if err := checkInherited(fd); err != nil {
			if i < listen {
				return Inherited{}, fmt.Errorf("LISTEN_FDS=%d: descriptor %d: %w", listen, fd, err)
			}
			return Inherited{}, fmt.Errorf("preserve %d descriptors from %d on: descriptor %d: %w", preserve, 3+listen, fd, err)
		}
		in.Files = append(in.Files, os.NewFile(uintptr(fd), "inherited "+strconv.Itoa(fd)))
	}
	return in, nil
}

// listenFDs gives LISTEN_FDS, if the variable is meant for this process: it
// may have been left over in the environment of one of its ancestors.
func listenFDs() int {
	if pid, err := strconv.Atoi(os.Getenv("LISTEN_PID")); err != nil || pid != os.Getpid() {
		return 0
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// checkInherited looks at the flag that everything opened by a Go program
// has, and nothing that has come through an execve can have.
func checkInherited(fd int) error {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err == nil && flags&unix.FD_CLOEXEC != 0 {
		err = errors.New("not open when the runtime was started")
	}
	if errors.Is(err, unix.EBADF) {
		err = errors.New("not open")
	}
	return err
}
