package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// runCommand runs a command without following it.
func runCommand(c command) (o outcome, err error) {
	start := time.Now()
	pid, err := c.start(false)
	if err != nil {
		return o, err
	}
	var late atomic.Bool
	timer := time.AfterFunc(c.timeout, func() {
		late.Store(true)
		_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
	})
	defer timer.Stop()
	for {
		_, err = unix.Wait4(pid, &o.status, 0, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	o.took, o.timeout = time.Since(start), late.Load()
	return o, os.NewSyscallError("wait4", err)
}

// start starts a command; traced, it stops at its execve.
func (c *command) start(traced bool) (int, error) {
	sys := c.user.attributes()
	sys.Ptrace = traced
	args := append(slices.Clone(c.around), c.user.command(c.args)...)
	pid, err := syscall.ForkExec(args[0], args, &syscall.ProcAttr{
		Env: append(os.Environ(), c.user.environment()...), Files: c.files[:], Sys: sys,
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", args[0], err)
	}
	return pid, nil
}

// initProcess is the init of a pid namespace. Its command gets a network namespace, where
// a rig can add devices.
func initProcess(args []string) error {
	reap := true
	if len(args) > 0 && args[0] == "--no-reap" {
		reap, args = false, args[1:]
	}
	pid, err := syscall.ForkExec(args[0], args, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET},
	})
	if err != nil {
		return err
	}
	which := pid
	if reap {
		which = -1
	} else {
		reapWhenAsked(pid)
	}
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(which, &status, 0, nil)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("wait4", err)
		}
		if got == pid {
			os.Exit(status.ExitStatus() & 255)
		}
	}
}

// reapWhenAsked reaps zombies at each SIGUSR1: they keep a keyring, of which a user may
// have 200.
func reapWhenAsked(worker int) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, unix.SIGUSR1)
	go func() {
		for range asked {
			for {
				var status unix.WaitStatus
				got, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
				if got == worker {
					os.Exit(status.ExitStatus() & 255)
				}
				if got <= 0 && !errors.Is(err, unix.EINTR) {
					break
				}
			}
		}
	}()
}
