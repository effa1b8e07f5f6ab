// Package capabilities has the names and numbers of Linux capabilities.
//
// The table is that of the newest kernel that berth knows (41 capabilities,
// Linux 5.9 to 6.18), independent of the running kernel. Code that applies
// capabilities to a process checks which ones the host has.
package capabilities

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// names holds every capability at the index of its number, in the order of
// include/uapi/linux/capability.h.
var names = [...]string{
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",            // since Linux 5.8
	"CAP_BPF",                // since Linux 5.8
	"CAP_CHECKPOINT_RESTORE", // since Linux 5.9
}

// Count is the number of known capabilities; their numbers are 0 to Count-1.
const Count = uint(len(names))

// Names returns the known capabilities in the order of their numbers.
func Names() []string { return append([]string(nil), names[:]...) }

// Name returns the name of a capability: "CAP_SYS_ADMIN" for 21, and "CAP_N"
// for a number N that is not in the table.
func Name(number uint) string {
	if number < Count {
		return names[number]
	}
	return fmt.Sprintf("CAP_%d", number)
}

// Parse returns the number of a capability. Names are exact: upper case, with
// the prefix CAP_; the error for another name suggests a similar one.
func Parse(name string) (uint, error) {
	if number := slices.Index(names[:], name); number >= 0 {
		return uint(number), nil
	}
	return 0, fmt.Errorf("unknown capability %s%s", config.Quote(name), hint(name))
}

// Unknown is a name that Mask ignores.
type Unknown struct {
	Index int // in the list
	Name  string
}

// Warning returns a warning for the user.
func (u Unknown) Warning() string {
	return fmt.Sprintf("unknown capability %s is ignored%s", config.Quote(u.Name), hint(u.Name))
}

// Mask returns the set of the capabilities in a list, and the unknown names. A
// process runs without those (config.md, Linux Process), with a warning for
// each.
func Mask(list []string) (set uint64, unknown []Unknown) {
	for i, name := range list {
		if number := slices.Index(names[:], name); number >= 0 {
			set |= 1 << number
		} else {
			unknown = append(unknown, Unknown{i, name})
		}
	}
	return set, unknown
}

// hint returns a suggestion for an unknown name.
func hint(name string) string {
	guess := strings.ToUpper(name)
	if !strings.HasPrefix(guess, "CAP_") {
		guess = "CAP_" + guess
	}
	return cmp.Or(config.DidYouMean(guess, names[:]), " (see capabilities(7))")
}

// List returns the names of the capabilities in a mask.
func List(mask uint64) []string {
	var list []string
	for c := range uint(64) {
		if mask&(1<<c) != 0 {
			list = append(list, Name(c))
		}
	}
	return list
}
