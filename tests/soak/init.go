package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// initProcess is the init of a pid namespace: it runs a command and reaps orphans.
func initProcess(args []string) int {
	pid, err := syscall.ForkExec(args[0], args, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		fmt.Fprintf(os.Stderr, "soak: %s: %v\n", args[0], err)
		return 1
	}
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "soak: wait4:", err)
			return 1
		case got == pid:
			return status.ExitStatus() & 255
		}
	}
}
