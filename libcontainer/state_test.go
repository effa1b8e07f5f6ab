package libcontainer

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/specconv"
)

// TestUnlockAtOnce gives a lock back of which there is a copy, as every process
// has one between its fork and its execve.
func TestUnlockAtOnce(t *testing.T) {
	dir := t.TempDir()
	l, err := lockDir(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Dup(int(l.dir.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := lockDir(dir, 0); !errors.Is(err, errLocked) {
		t.Errorf("locked twice: %v", err)
	}
	l.unlock()
	if l, err = lockDir(dir, 0); err != nil {
		t.Fatal(err)
	}
	l.unlock()
}

func TestStateOfAnother(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "c")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &State{Version: stateVersion, ID: "c"}
	if err := s.write(dir); err != nil {
		t.Fatal(err)
	}
	if got, err := readState(dir); err != nil || got.ID != "c" {
		t.Errorf("read %+v, %v", got, err)
	}
	s.ID = "d"
	if err := s.write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := readState(dir); err == nil || !strings.HasSuffix(err.Error(), `it is of container "d"`) {
		t.Errorf("another's: %v", err)
	}
}

func TestAllocate(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 200_000
	if err := allocate(f, size); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Size != size || st.Blocks*512 < size {
		t.Errorf("size %d, %d blocks, %v", st.Size, st.Blocks, err)
	}
}

// Create and Load return containers with the same configuration.
func TestTheSavedConfigurationIsTheWhole(t *testing.T) {
	for _, user := range []bool{false, true} {
		cfg, err := specconv.Convert(everything(user), specconv.Options{Bundle: "/bundle"})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Notify, cfg.ListenFDs, cfg.SystemdCgroup, cfg.NoPivot, cfg.SharedKeyring = true, 2, true, true, true
		dir := t.TempDir()
		created := asSaved(withNotifyMount(cfg, dir))
		if err := writeJSON(dir, configFile, created); err != nil {
			t.Fatal(err)
		}
		loaded, err := readConfig(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(created, loaded) {
			t.Errorf("created %+v\nloaded  %+v", created, loaded)
		}
	}
}
