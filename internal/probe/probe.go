// Package probe asks the running kernel what it supports.
package probe

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/berth-oci/berth/internal/sys"
)

// LastCap returns the number of the newest capability that the kernel knows
// (/proc/sys/kernel/cap_last_cap, Linux 3.2).
func LastCap() (int, error) {
	const file = "/proc/sys/kernel/cap_last_cap"
	b, err := sys.ReadFile(file)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n < 0 || n > 63 {
		return 0, fmt.Errorf("read %s: %q is not a capability number", file, b)
	}
	return n, nil
}

// initialUserNamespace is the inode of the initial user namespace
// (PROC_USER_INIT_INO in include/uapi/linux/nsfs.h, the same since Linux 3.8).
const initialUserNamespace = 0xEFFFFFFD

// InUserNamespace reports whether this process is outside of the initial user
// namespace. The ID mappings cannot decide: systemd (260) makes user namespaces
// that map every ID to itself.
func InUserNamespace() bool {
	return notInitial("/proc/self/ns/user")
}

// notInitial reports whether file refers to a user namespace other than the
// initial one. It returns false without a procfs, where nothing depends on the
// answer.
func notInitial(file string) bool {
	info, err := os.Stat(file)
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Ino != initialUserNamespace
}
