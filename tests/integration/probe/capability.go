package main

import (
	"errors"
	"fmt"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// The goroutine of main stays on the first thread of the process.
func init() { runtime.LockOSThread() }

// dropInFirst removes a capability from all sets of the first thread.
func dropInFirst(number string) error {
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
	err = errors.Join(
		unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0),
		unix.Capset(&header, &sets[0]),
	)
	if err != nil {
		return err
	}
	fmt.Println("dropped")
	return unix.Pause()
}
