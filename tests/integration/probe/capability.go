package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// The goroutine of main stays on the first thread of the process.
func init() { runtime.LockOSThread() }

// dropInFirst removes a capability from the first thread, and stays.
func dropInFirst(number string) error {
	if err := drop(number); err != nil {
		return err
	}
	fmt.Println("dropped")
	return unix.Pause()
}

// without executes a command, a path, without a capability.
func without(number string, command []string) error {
	if err := drop(number); err != nil {
		return err
	}
	return unix.Exec(command[0], command, os.Environ())
}

// drop removes a capability from all sets of the calling thread.
func drop(number string) error {
	capability, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return err
	}
	half, rest := &sets[capability/32], ^(uint32(1) << (capability % 32))
	half.Effective &= rest
	half.Permitted &= rest
	half.Inheritable &= rest
	return errors.Join(
		unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0),
		unix.Capset(&header, &sets[0]),
	)
}
