package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// deniable are the system calls that tests deny.
var deniable = map[string]uint32{
	"mknodat": unix.SYS_MKNODAT, "mount": unix.SYS_MOUNT, "umount2": unix.SYS_UMOUNT2, "sethostname": unix.SYS_SETHOSTNAME,
	"move_mount": unix.SYS_MOVE_MOUNT,
}

// deny executes a command under a seccomp filter: a system call fails with EPERM,
// or kills whoever makes it.
func deny(args []string) error {
	nr, ok := deniable[args[1]]
	if !ok {
		return fmt.Errorf("no number for %q", args[1])
	}
	action := uint32(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM))
	if args[0] == "kill" {
		action = unix.SECCOMP_RET_KILL_PROCESS
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number: struct seccomp_data begins with it
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: action},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	path, err := exec.LookPath(args[2])
	if err != nil {
		return err
	}
	runtime.LockOSThread() // the filter is the thread's, which executes the command
	if err := sys.SeccompInstall(filter); err != nil {
		return fmt.Errorf("install filter: %w", err)
	}
	return unix.Exec(path, args[2:], os.Environ())
}
