// Package probe asks the running kernel what it can do, once per question.
package probe

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
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

// InUserNamespace reports whether there is another user namespace around this
// process's: the first has all ids (user_namespaces(7)).
func InUserNamespace() bool {
	text, err := os.ReadFile("/proc/self/uid_map")
	return err == nil && !slices.Equal(strings.Fields(string(text)), []string{"0", "0", "4294967295"})
}
