package setup

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/specconv"
)

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

// A configuration survives writing and reading.
func TestTheSavedConfigurationIsTheWhole(t *testing.T) {
	for _, user := range []bool{false, true} {
		cfg, err := specconv.Convert(everything(user), specconv.Options{Bundle: "/bundle"})
		if err != nil {
			t.Fatal(err)
		}
		cfg.Notify, cfg.ListenFDs, cfg.SystemdCgroup, cfg.NoPivot, cfg.SharedKeyring = true, 2, true, true, true
		dir := t.TempDir()
		created := asSaved(withNotifyMount(cfg, dir))
		if err := state.WriteConfig(dir, created); err != nil {
			t.Fatal(err)
		}
		loaded, err := state.ReadConfig(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(created, loaded) {
			t.Errorf("created %+v\nloaded  %+v", created, loaded)
		}
	}
}

// TestSavedFilterIsChecked reads the filter of a container that another process has created.
func TestSavedFilterIsChecked(t *testing.T) {
	j := &job{dir: t.TempDir()}
	filter := filepath.Join(j.dir, state.FilterFile)
	for name, text := range map[string]string{"of another length": "1234567", "empty": ""} {
		if err := os.WriteFile(filter, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := j.readFilter(); err == nil {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if err := os.WriteFile(filter, make([]byte, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := j.readFilter(); err != nil || len(got) != 8 {
		t.Errorf("one instruction: got %q, %v", got, err)
	}
}
