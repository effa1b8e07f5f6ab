package devices

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
