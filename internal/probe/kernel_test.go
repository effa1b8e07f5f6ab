package probe

import (
	"fmt"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// since returns the required calls that Linux v does not have.
func since(v version) []string {
	var names []string
	for _, c := range required {
		if v.before(c.since) {
			names = append(names, c.name)
		}
	}
	return names
}

func TestExplain(t *testing.T) {
	for release, want := range map[string]string{
		"4.18.0-553.el8.x86_64": "Linux 5.12 or later is required, this is 4.18: openat2, mount_setattr and 12 more are missing",
		"5.4.0":                 "Linux 5.12 or later is required, this is 5.4: openat2, mount_setattr and 3 more are missing",
		"5.8.18-100.fc31":       "Linux 5.12 or later is required, this is 5.8: mount_setattr and close_range are missing",
		"5.11.22":               "Linux 5.12 or later is required, this is 5.11: mount_setattr is missing",
		"5.12.0":                "",
		"6.18.5":                "",
		"7.0-rc1":               "",
	} {
		if got := explain(release, since(parseRelease(release))); got != want {
			t.Errorf("%s: %q, want %q", release, got, want)
		}
	}
	if got := explain("5.9", []string{"a", "b", "c"}); got != "Linux 5.12 or later is required, this is 5.9: a, b and c are missing" {
		t.Error(got)
	}
	const filtered = "openat2 and clone3 are denied, probably by the seccomp filter of a sandbox around the runtime, which must allow them"
	for _, release := range []string{"6.1.0", "5.12.0", "unknown"} {
		if got := explain(release, []string{"openat2", "clone3"}); got != filtered {
			t.Errorf("%s: %q", release, got)
		}
	}
}

func TestOldestHasAllThatIsRequired(t *testing.T) {
	newest := version{}
	for _, c := range required {
		if newest.before(c.since) {
			newest = c.since
		}
	}
	if newest != oldest {
		t.Errorf("the newest call is from Linux %s, but oldest is %s", newest, oldest)
	}
}

func TestNothingIsAbsentHere(t *testing.T) {
	if got := Absent(); got != nil {
		t.Errorf("absent: %v", got)
	}
	if err := CheckKernel(); err != nil {
		t.Error(err)
	}
	if text := ExplainDenied(fmt.Errorf("x: %w", unix.EPERM)); text != "" {
		t.Error(text)
	}
}

func TestAbsentCalls(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ENOSYS, unix.EPERM} {
		for _, c := range required {
			done := make(chan []string)
			go func() {
				runtime.LockOSThread() // never unlocked: the thread ends with its filter
				if err := deny(uint32(c.number), errno); err != nil {
					t.Error(err)
				}
				done <- Absent()
			}()
			got, want := fmt.Sprint(<-done), fmt.Sprint([]string{c.name})
			if c.guarded && errno == unix.EPERM && (!Admin() || InUserNamespace()) {
				want = "[]"
			}
			if got != want {
				t.Errorf("%s returns %v: absent reports %s", c.name, errno, got)
			}
		}
	}
}

// deny makes a system call of this thread fail with an errno.
func deny(nr uint32, errno unix.Errno) error {
	const ret, load, equal = unix.BPF_RET | unix.BPF_K, unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load}, // seccomp_data.nr, at offset 0
		{Code: equal, K: nr, Jf: 1},
		{Code: ret, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
