package cgroupfs

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// missingError is ENOENT without its text: engines (Podman) take "no such file
// or directory" to mean that the program was not found.
type missingError string

func (e missingError) Error() string { return string(e) }

// Is matches ENOENT, and errors.ErrUnsupported because this host lacks the
// file.
func (e missingError) Is(target error) bool {
	return target == unix.ENOENT || target == fs.ErrNotExist || target == errors.ErrUnsupported
}

// Missing returns an error about a controller or a file that a cgroup does not
// have.
func Missing(format string, args ...any) error {
	return missingError(fmt.Sprintf(format, args...))
}
