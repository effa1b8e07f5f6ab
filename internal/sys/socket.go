package sys

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// CheckSocketPath reports whether a path fits into the address of a unix socket
// (unix(7)). The kernel only returns EINVAL for a longer one.
func CheckSocketPath(path string) error {
	if most := len(unix.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return fmt.Errorf("%d bytes, but a socket path has at most %d", len(path), most)
	}
	return nil
}
