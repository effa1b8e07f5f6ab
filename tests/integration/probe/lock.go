package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lock locks a file exclusively (flock(2)), and executes a command, which keeps the lock.
// It fails if another process has the lock.
func lock(file string, command []string) error {
	fd, err := unix.Open(file, unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errors.Join(errors.New(file), err)
	}
	return unix.Exec(command[0], command, os.Environ())
}
