package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// leaveKeyring executes a command in a new session keyring without a name. The kernel
// frees the old one if it has no other user; the other threads use it until the execve.
func leaveKeyring(command []string) error {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread() // a keyring is a thread's
	if _, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("leave session keyring: %w", err)
	}
	return unix.Exec(path, command, os.Environ())
}

// fillKeyring adds keys to its session keyring until the user's quota is used up, prints
// "full" and stays.
func fillKeyring() error {
	for i := 0; ; i++ {
		_, err := unix.AddKey("user", fmt.Sprint("probe", i), []byte("x"), unix.KEY_SPEC_SESSION_KEYRING)
		if errors.Is(err, unix.EDQUOT) {
			break
		}
		if err != nil {
			return fmt.Errorf("add key %d: %w", i, err)
		}
	}
	fmt.Println("full")
	return unix.Pause()
}
