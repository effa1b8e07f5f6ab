package probe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// oldest is the first version of Linux with all required calls.
var oldest = version{5, 12}

// version is the major and minor version of Linux.
type version [2]int

func (v version) String() string { return fmt.Sprintf("%d.%d", v[0], v[1]) }

func (v version) before(w version) bool { return v[0] < w[0] || v[0] == w[0] && v[1] < w[1] }

const all = ^uintptr(0) // an invalid descriptor, and flags that no kernel supports

// required are the system calls that berth cannot work without, first those
// that best identify an old kernel. With args, each call fails without an
// effect. A guarded call may return EPERM to an unprivileged caller before it
// checks args.
var required = [...]struct {
	name    string
	since   version
	number  uintptr
	args    [5]uintptr
	guarded bool
}{
	{"openat2", version{5, 6}, unix.SYS_OPENAT2, [5]uintptr{all}, false},
	{"mount_setattr", version{5, 12}, unix.SYS_MOUNT_SETATTR, [5]uintptr{all, 0, all}, false},
	{"clone3", version{5, 3}, unix.SYS_CLONE3, [5]uintptr{}, false},
	{"close_range", version{5, 9}, unix.SYS_CLOSE_RANGE, [5]uintptr{1, 0}, false},
	{"pidfd_send_signal", version{5, 1}, unix.SYS_PIDFD_SEND_SIGNAL, [5]uintptr{all, 0, 0, all}, false},
	{"pidfd_open", version{5, 3}, unix.SYS_PIDFD_OPEN, [5]uintptr{0, all}, false},
	{"open_tree", version{5, 2}, unix.SYS_OPEN_TREE, [5]uintptr{all, 0, all}, false},
	{"move_mount", version{5, 2}, unix.SYS_MOVE_MOUNT, [5]uintptr{all, 0, all, 0, all}, true},
	{"fsopen", version{5, 2}, unix.SYS_FSOPEN, [5]uintptr{0, all}, true},
	{"fsconfig", version{5, 2}, unix.SYS_FSCONFIG, [5]uintptr{all}, false},
	{"fsmount", version{5, 2}, unix.SYS_FSMOUNT, [5]uintptr{all, all}, true},
	{"fspick", version{5, 2}, unix.SYS_FSPICK, [5]uintptr{all, 0, all}, true},
	{"pidfd_getfd", version{5, 6}, unix.SYS_PIDFD_GETFD, [5]uintptr{all, all, all}, false},
	{"faccessat2", version{5, 8}, unix.SYS_FACCESSAT2, [5]uintptr{all, 0, 0, all}, false},
}

// CheckKernel refuses a kernel that is too old. On other kernels it only calls
// uname(2).
func CheckKernel() error {
	release := release()
	if !parseRelease(release).before(oldest) {
		return nil
	}
	if text := explain(release, Absent()); text != "" { // empty if a distribution has backported all calls
		return errors.New(text)
	}
	return nil
}

// ExplainDenied returns the cause of an ENOSYS or EPERM: the kernel is too old,
// or a seccomp filter denies calls. It returns "" if it finds neither.
func ExplainDenied(err error) string {
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		return ""
	}
	return explain(release(), Absent())
}

// Absent returns the required calls that a seccomp filter denies or the kernel
// does not have.
func Absent() []string {
	admin := Admin() && !InUserNamespace()
	var names []string
	for _, c := range required {
		_, _, errno := unix.RawSyscall6(c.number, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], 0)
		if errno == unix.ENOSYS || errno == unix.EPERM && (admin || !c.guarded) {
			names = append(names, c.name)
		}
	}
	return names
}

// explain returns why the required calls are absent.
func explain(release string, absent []string) string {
	v := parseRelease(release)
	switch {
	case len(absent) == 0:
		return ""
	case v.before(oldest):
		return fmt.Sprintf("Linux %s or later is required, this is %s: %s missing", oldest, v, enumerate(absent))
	}
	pronoun := "them"
	if len(absent) == 1 {
		pronoun = "it"
	}
	return fmt.Sprintf("%s denied, probably by the seccomp filter of a sandbox around the runtime, which must allow %s", enumerate(absent), pronoun)
}

// enumerate joins the names, followed by "is" or "are". Of more than three it
// names two and counts the others.
func enumerate(names []string) string {
	switch n := len(names); n {
	case 1:
		return names[0] + " is"
	case 2:
		return strings.Join(names, " and ") + " are"
	case 3:
		return fmt.Sprintf("%s, %s and %s are", names[0], names[1], names[2])
	default:
		return fmt.Sprintf("%s, %s and %d more are", names[0], names[1], n-2)
	}
}

// parseRelease parses a release of uname(2) such as "6.1.0-13-amd64". A release
// that it cannot parse counts as newer than all others.
func parseRelease(release string) version {
	major, rest, _ := strings.Cut(release, ".")
	end := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
	if end < 0 {
		end = len(rest)
	}
	first, err1 := strconv.Atoi(major)
	second, err2 := strconv.Atoi(rest[:end])
	if err1 != nil || err2 != nil {
		return version{1 << 30, 0}
	}
	return version{first, second}
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
