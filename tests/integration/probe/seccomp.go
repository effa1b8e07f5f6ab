package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// numbers are the system calls that tests make; the kernel has no call with the number
// of "future" yet.
var numbers = map[string]uintptr{
	"getppid": unix.SYS_GETPPID, "getpgid": unix.SYS_GETPGID, "personality": unix.SYS_PERSONALITY,
	"openat2": unix.SYS_OPENAT2, "faccessat2": unix.SYS_FACCESSAT2, "future": 900,
}

// calls makes system calls and prints the error of each, or its result.
func calls(list []string) error {
	for _, c := range list {
		name, first, _ := strings.Cut(c, ",")
		number, ok := numbers[name]
		if !ok {
			return fmt.Errorf("no number for %q", name)
		}
		arg := ^uint64(0)
		if first != "" {
			var err error
			if arg, err = strconv.ParseUint(first, 0, 64); err != nil {
				return err
			}
		}
		const no = ^uintptr(0)
		result, _, errno := unix.Syscall6(number, uintptr(arg), no, no, no, no, no)
		if errno != 0 {
			fmt.Println(c, unix.ErrnoName(errno))
		} else {
			fmt.Println(c, result)
		}
	}
	return nil
}

// agent answers for several containers concurrently.
func agent(socket, dir string) error {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return err
	}
	defer listener.Close()
	for n := 1; ; n++ {
		payload, fds, err := receiveFrom(listener)
		if err != nil {
			return err
		}
		if len(fds) != 1 {
			return fmt.Errorf("%d descriptors in one message", len(fds))
		}
		go serve(fds[0])
		file := filepath.Join(dir, "state."+strconv.Itoa(n))
		if err := os.WriteFile(file, payload, 0o644); err != nil {
			return err
		}
	}
}

// serve answers the calls of one filter, until no process has the filter any more.
func serve(listener int) {
	defer unix.Close(listener)
	for {
		call, err := sys.SeccompReceive(listener)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.ENOENT) { // the caller is gone
			if gone(listener) {
				return
			}
			continue
		}
		if err != nil {
			return
		}
		answer := sys.SeccompAnswer{ID: call.ID, Flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if call.Nr == unix.SYS_GETPPID {
			answer.Flags, answer.Val = 0, 4242
		}
		// ENOENT: the caller was killed meanwhile.
		if err := sys.SeccompRespond(listener, answer); err != nil && !errors.Is(err, unix.ENOENT) {
			fmt.Fprintln(os.Stderr, "probe: respond:", err)
		}
	}
}

// gone reports whether the last process with the filter has ended.
func gone(listener int) bool {
	fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&unix.POLLHUP != 0
}

// filter prints the flags and the actions of a process's filter, as the kernel has them.
func filter(text string) error {
	pid, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	runtime.LockOSThread() // the tracer is a thread
	if err := unix.PtraceSeize(pid); err != nil {
		return fmt.Errorf("seize %d: %w", pid, err)
	}
	if err := unix.PtraceInterrupt(pid); err != nil {
		return fmt.Errorf("interrupt %d: %w", pid, err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return err
	}
	program, flags, err := sys.SeccompFilter(pid)
	if err != nil {
		return fmt.Errorf("read filter of %d: %w", pid, err)
	}
	var actions []uint32
	for _, instruction := range program {
		if instruction.Code == unix.BPF_RET|unix.BPF_K {
			actions = append(actions, instruction.K)
		}
	}
	slices.Sort(actions)
	fmt.Printf("flags %#x\n", flags)
	for _, action := range slices.Compact(actions) {
		fmt.Printf("action %#x\n", action)
	}
	return nil
}
