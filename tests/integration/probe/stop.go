package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// stop stops all processes that it sees except itself, without an end.
func stop() error {
	const most = 300 // no test starts more processes
	fmt.Println("stopping")
	for {
		for pid := 1; pid < most; pid++ {
			if pid != os.Getpid() {
				unix.Kill(pid, unix.SIGSTOP) //nolint:errcheck // most do not exist
			}
		}
	}
}
