package sys

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// CheckSocketPath tells whether a path fits into the address of a unix socket
// (unix(7)): the kernel's word for one that does not is EINVAL.
func CheckSocketPath(path string) error {
	if most := len(unix.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return fmt.Errorf("%d bytes, and the path of a socket has %d at most", len(path), most)
	}
	return nil
}
