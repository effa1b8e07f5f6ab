package libcontainer

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzState loads containers with arbitrary state files.
func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":1,"id":"c","pid":1,"startTime":1,"cgroups":{"":"/sys/fs/cgroup/c"},"complete":true}`))
	f.Add([]byte(`{"version":9}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		root := t.TempDir()
		if err := os.Mkdir(filepath.Join(root, "c"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, "c", "state.json"), text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(root, "c", nil)
		if (c == nil) == (err == nil) {
			t.Fatalf("container %v, error %v", c, err)
		}
		if err == nil {
			if _, err := c.Status(); err != nil {
				_ = err.Error()
			}
		}
	})
}
