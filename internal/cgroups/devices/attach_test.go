package devices

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// cgroup2 makes a cgroup of version 2, or skips the test.
func cgroup2(t *testing.T) string {
	t.Helper()
	for _, hierarchy := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var s unix.Statfs_t
		if err := unix.Statfs(hierarchy, &s); err != nil || s.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		dir := filepath.Join(hierarchy, fmt.Sprintf("berth-%s-%d", t.Name(), os.Getpid()))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Skipf("no cgroup can be made: %v", err)
		}
		t.Cleanup(func() {
			if err := os.Remove(dir); err != nil {
				t.Error(err)
			}
		})
		return dir
	}
	t.Skip("there is no cgroup v2")
	return ""
}

// attached returns the IDs of the programs on a cgroup.
func attached(t *testing.T, dirfd int) []uint32 {
	t.Helper()
	ids, err := sys.BPFQuery(dirfd, unix.BPF_CGROUP_DEVICE)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// TestSetV2ReplacesItsOwnProgram sets the rules twice, with a program of another manager,
// such as systemd: the kernel denies what any of the programs denies.
func TestSetV2ReplacesItsOwnProgram(t *testing.T) {
	dir := cgroup2(t)
	dirfd, err := unix.Open(dir, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dirfd)
	foreign, err := sys.BPFLoad(unix.BPF_PROG_TYPE_CGROUP_DEVICE, encode(verdict(true)), "Apache-2.0", "other", nil)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		t.Skipf("no eBPF here: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(foreign)
	if err := sys.BPFAttach(dirfd, foreign, unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI, 0); err != nil {
		t.Fatal(err)
	}
	other := attached(t, dirfd)
	var first []uint32
	for range 2 {
		if err := SetV2(dir, samples()["deny"]); err != nil {
			t.Fatal(err)
		}
		now := attached(t, dirfd)
		if len(now) != 2 || !slices.Contains(now, other[0]) || slices.Equal(now, first) {
			t.Errorf("programs %v, before them %v and %v", now, other, first)
		}
		first = now
	}
}

// TestSetV2WithoutAdmin lacks CAP_SYS_ADMIN, which the kernel requires for a look at the
// programs: SetV2 adds one then.
func TestSetV2WithoutAdmin(t *testing.T) {
	dir := cgroup2(t)
	if err := SetV2(dir, samples()["deny"]); errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSYS) {
		t.Skipf("no eBPF here: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	withoutAdmin(t, func() {
		if err := SetV2(dir, samples()["deny"]); err != nil {
			t.Error(err)
		}
	})
	dirfd, err := unix.Open(dir, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dirfd)
	if ids := attached(t, dirfd); len(ids) != 2 {
		t.Errorf("programs %v", ids)
	}
}

// withoutAdmin calls f in a thread without CAP_SYS_ADMIN.
func withoutAdmin(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
	fewer := caps
	fewer[0].Effective &^= 1 << unix.CAP_SYS_ADMIN
	if err := unix.Capset(&header, &fewer[0]); err != nil {
		t.Fatal(err)
	}
	f()
	if err := unix.Capset(&header, &caps[0]); err != nil {
		t.Fatal(err)
	}
}
