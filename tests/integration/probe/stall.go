package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// stall mounts a file system on a directory that never answers: the server of
// FUSE is this process, which sleeps.
func stall(dir string) error {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := unix.Mount("stall", dir, "fuse", 0, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0", fd)); err != nil {
		return err
	}
	fmt.Println("stalled")
	for {
		time.Sleep(time.Hour)
	}
}
