package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// recvpidfd receives a pidfd from a socket and writes the message that contained it, and
// the process ID that it refers to.
func recvpidfd(socket, dir string) error {
	payload, fds, err := receive(socket)
	if err != nil {
		return err
	}
	if len(fds) != 1 {
		return fmt.Errorf("%d descriptors in one message", len(fds))
	}
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fds[0]))
	if err != nil {
		return err
	}
	_, rest, found := strings.Cut(string(info), "\nPid:\t")
	pid, _, _ := strings.Cut(rest, "\n")
	if !found {
		return fmt.Errorf("not a pidfd: %s", info)
	}
	return os.WriteFile(filepath.Join(dir, "pidfd"), fmt.Appendf(nil, "%s %s\n", payload, pid), 0o644)
}
