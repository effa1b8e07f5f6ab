package ociruntime

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Inherited are the inherited descriptors of this process that are meant for a
// container's program.
type Inherited struct {
	// Files are descriptors 3, 4, …: first the sockets of socket activation, then the
	// requested ones.
	Files []*os.File
	// ListenFDs is the number of sockets of socket activation.
	ListenFDs int
}

// PreservedFiles returns the first n descriptors after the standard ones. Unlike
// InheritedFiles it ignores socket activation.
func PreservedFiles(n int) ([]*os.File, error) {
	in, err := inheritedFiles(0, n)
	return in.Files, err
}

// InheritedFiles returns the sockets passed to this process by the protocol of
// sd_listen_fds(3), and the next preserve descriptors after them. Each must be open
// since this program was executed.
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

// listenFDs returns LISTEN_FDS if LISTEN_PID is this process: the variables may be
// meant for an ancestor.
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

// checkInherited checks that FD_CLOEXEC is not set: Go sets it on all descriptors that
// it opens, and no descriptor with the flag survives execve(2).
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
