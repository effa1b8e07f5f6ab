package libcontainer

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzState reads state files that somebody else has written.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":1,"id":"c","pid":1,"startTime":1,"cgroups":{"":"/sys/fs/cgroup/c"},"complete":true}`))
	f.Add([]byte(`{"version":9}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, stateFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := readState(dir)
		if (s == nil) == (err == nil) {
			t.Fatalf("state %v, error %v", s, err)
		}
		if err == nil {
			if _, err := (&Container{dir: dir, state: s}).Status(); err != nil {
				_ = err.Error()
			}
		}
	})
}

func FuzzValidateID(f *testing.F) {
	f.Add("a.b_c+d-1")
	f.Add("..")
	f.Add("a/b")
	f.Fuzz(func(t *testing.T, id string) {
		if ValidateID(id) == nil && (filepath.Base(id) != id || id == "." || id == "..") {
			t.Errorf("%q is no name of a directory", id)
		}
	})
}
