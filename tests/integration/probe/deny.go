package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// deniable are the system calls that tests deny.
var deniable = map[string]uint32{
	"mknodat": unix.SYS_MKNODAT, "mount": unix.SYS_MOUNT, "umount2": unix.SYS_UMOUNT2, "sethostname": unix.SYS_SETHOSTNAME,
	"move_mount": unix.SYS_MOVE_MOUNT, "openat2": unix.SYS_OPENAT2, "mount_setattr": unix.SYS_MOUNT_SETATTR, "clone3": unix.SYS_CLONE3,
	"close_range": unix.SYS_CLOSE_RANGE, "open_tree": unix.SYS_OPEN_TREE, "fsopen": unix.SYS_FSOPEN, "fsconfig": unix.SYS_FSCONFIG,
	"fsmount": unix.SYS_FSMOUNT, "keyctl": unix.SYS_KEYCTL, "madvise": unix.SYS_MADVISE, "faccessat2": unix.SYS_FACCESSAT2,
	"pidfd_getfd": unix.SYS_PIDFD_GETFD,
}

// denials are the results of a denied system call.
var denials = map[string]uint32{
	"fail": unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM), "lack": unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS), "kill": unix.SECCOMP_RET_KILL_PROCESS,
}

// deny executes a command under a seccomp filter: system calls fail with EPERM, or
// with ENOSYS, or kill their caller.
func deny(args []string) error {
	action, ok := denials[args[0]]
	if !ok {
		return fmt.Errorf("unknown action %q", args[0])
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number: struct seccomp_data begins with it
	}
	for name := range strings.SplitSeq(args[1], ",") {
		nr, ok := deniable[name]
		if !ok {
			return fmt.Errorf("no number for %q", name)
		}
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action})
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
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
