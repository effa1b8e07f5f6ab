package manager

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLoadRefusesDirectoriesOutsideOfCgroupfs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not-a-cgroup")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, paths := range map[string]map[string]string{
		"v2": {"": dir}, "v1": {"memory": dir}, "one of two": {"": filepath.Join(dir, "gone"), "memory": dir},
	} {
		m := Load(paths, LoadOptions{})
		if err := m.Destroy(t.Context()); !errors.Is(err, unix.EXDEV) {
			t.Errorf("%s: Destroy: %v", name, err)
		}
		if _, err := m.Processes(); !errors.Is(err, unix.EXDEV) {
			t.Errorf("%s: Processes: %v", name, err)
		}
		if err := m.Freeze(true); !errors.Is(err, unix.EXDEV) {
			t.Errorf("%s: Freeze: %v", name, err)
		}
		if err := Refusal(m); !errors.Is(err, unix.EXDEV) {
			t.Errorf("%s: Refusal: %v", name, err)
		}
		if len(m.Paths()) != 0 {
			t.Errorf("%s: Paths: %v", name, m.Paths())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "sub")); err != nil {
		t.Error(err)
	}
	if err := Load(map[string]string{"": filepath.Join(dir, "gone")}, LoadOptions{}).Destroy(t.Context()); err != nil {
		t.Errorf("a cgroup that was removed: %v", err)
	}
}
