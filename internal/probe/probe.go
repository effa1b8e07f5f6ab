// Package probe asks the running kernel what it can do, once per question.
package probe

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// LastCap gives the number of the newest capability that the kernel knows
// (/proc/sys/kernel/cap_last_cap, Linux 3.2).
func LastCap() (int, error) {
	const file = "/proc/sys/kernel/cap_last_cap"
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 0 || n > 63 {
		return 0, fmt.Errorf("read %s: %q is no capability number", file, b)
	}
	return n, nil
}

// initialUserNamespace is the inode of the initial user namespace
// (PROC_USER_INIT_INO in include/uapi/linux/nsfs.h, of that number since Linux
// 3.8).
const initialUserNamespace = 0xEFFFFFFD

// InUserNamespace reports whether this process is in another user namespace than
// the initial one. The mappings do not tell: systemd (260) makes user namespaces
// that map every id to itself.
func InUserNamespace() bool {
	return notInitial("/proc/self/ns/user")
}

// notInitial reports whether the user namespace that file refers to is another
// than the initial one. Without a procfs that question has no answer; nothing
// in a process that has none is done differently.
func notInitial(file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Ino != initialUserNamespace
}
