package stub

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Fetch gives this process a descriptor of the stub's (pidfd_getfd(2), Linux
// 5.6). What it refers to is for the caller to check.
func (c *Child) Fetch(fd *Value) (*os.File, error) {
	n, err := unix.PidfdGetfd(int(c.Pidfd.Fd()), fd.Int(), 0)
	if err != nil {
		return nil, fmt.Errorf("pidfd_getfd: %w", err)
	}
	return os.NewFile(uintptr(n), "stub descriptor"), nil
}
