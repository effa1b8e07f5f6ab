package libcontainer

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// TestDeleteRemovesResctrl deletes a stopped container: delete removes only the groups
// that create made.
func TestDeleteRemovesResctrl(t *testing.T) {
	for _, test := range []struct {
		group intelrdt.Group
		dir   string
		left  bool
	}{
		{intelrdt.Group{Name: "c", Own: true}, "c", false},
		{intelrdt.Group{Name: "gold"}, "gold", true},
		{intelrdt.Group{Monitor: "c"}, "mon_groups/c", false},
		{intelrdt.Group{Name: "gold", Monitor: "c"}, "gold/mon_groups/c", false},
	} {
		root, resctrl := t.TempDir(), t.TempDir()
		if err := os.MkdirAll(filepath.Join(resctrl, test.dir), 0o755); err != nil {
			t.Fatal(err)
		}
		test.group.Root = resctrl
		if err := os.Mkdir(filepath.Join(root, "c"), 0o755); err != nil {
			t.Fatal(err)
		}
		s := state.State{Version: 1, ID: "c", Complete: true, Resctrl: &test.group}
		if err := s.Write(filepath.Join(root, "c")); err != nil {
			t.Fatal(err)
		}
		c, err := Load(root, "c", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.UseResctrl(resctrl)
		if err := c.Delete(context.Background(), false); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(filepath.Join(resctrl, test.dir)); (err == nil) != test.left {
			t.Errorf("%+v: after delete %v", test.group, err)
		}
	}
}

// TestForeignResctrl deletes a container with a state that names groups outside of
// the resctrl file system: nothing is removed.
func TestForeignResctrl(t *testing.T) {
	precious := t.TempDir()
	for _, dir := range []string{"c", "named", "mon_groups/c"} {
		if err := os.MkdirAll(filepath.Join(precious, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, group := range []intelrdt.Group{
		{Root: precious, Name: "c", Own: true},
		{Root: precious, Monitor: "c"},
		{Root: filepath.Join(precious, "named"), Name: "../c", Own: true},
	} {
		root := t.TempDir()
		if err := os.Mkdir(filepath.Join(root, "c"), 0o755); err != nil {
			t.Fatal(err)
		}
		s := state.State{Version: 1, ID: "c", Complete: true, Resctrl: &group}
		if err := s.Write(filepath.Join(root, "c")); err != nil {
			t.Fatal(err)
		}
		c, err := Load(root, "c", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.UseResctrl(filepath.Join(precious, "named"))
		if err := c.Delete(context.Background(), true); err == nil {
			t.Errorf("%+v: no error", group)
		}
		for _, dir := range []string{"c", "named", "mon_groups/c"} {
			if _, err := os.Lstat(filepath.Join(precious, dir)); err != nil {
				t.Errorf("%+v: %v", group, err)
			}
		}
	}
}
