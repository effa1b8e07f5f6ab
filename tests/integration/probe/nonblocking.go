package main

import (
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// nonblocking executes a command and returns only if that fails.
func nonblocking(command []string) error {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return err
	}
	if pair[0] != 3 {
		if err := unix.Dup3(pair[0], 3, 0); err != nil {
			return err
		}
	}
	return unix.Exec(path, command, os.Environ())
}
