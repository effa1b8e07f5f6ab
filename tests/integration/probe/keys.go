package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// leaveKeyring executes a command in a new session keyring without a name. Its last
// argument is the number of the old one, which the other threads use until the execve.
func leaveKeyring(command []string) error {
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	runtime.LockOSThread() // a keyring is a thread's
	left, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	if err != nil {
		return fmt.Errorf("number of the session keyring: %w", err)
	}
	if _, err := unix.KeyctlInt(unix.KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("leave session keyring: %w", err)
	}
	return unix.Exec(path, append(command, strconv.Itoa(left)), os.Environ())
}

// fillKeyring adds keys to its session keyring until the user's quota is used up, prints
// "full" and stays. It first waits until the kernel has freed the keyring left, unless
// that is 0: the quota would not be used up when the last credentials with it end.
func fillKeyring(left string) error {
	id, err := strconv.Atoi(left)
	if err != nil {
		return err
	}
	for id != 0 {
		if _, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, id); errors.Is(err, unix.ENOKEY) {
			break
		} else if err != nil {
			return fmt.Errorf("describe key %d: %w", id, err)
		}
		time.Sleep(time.Millisecond)
	}
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
