package main

import (
	"fmt"
	"os/signal"

	"golang.org/x/sys/unix"
)

// lease takes a write lease on a file, prints "leased" and stays. It ignores the signal
// with which the kernel announces that another process opens the file.
func lease(file string) error {
	signal.Ignore(unix.SIGIO)
	fd, err := unix.Open(file, unix.O_RDWR, 0)
	if err != nil {
		return err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	fmt.Println("leased")
	return unix.Pause()
}
