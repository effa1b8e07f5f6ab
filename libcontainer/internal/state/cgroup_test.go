package state

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// left is a v1 cgroup without processes, which notes the state at its removal.
type left struct {
	cgroups.Manager
	dir, removed string
}

func (l *left) Paths() map[string]string { return map[string]string{"freezer": l.dir} }

func (*left) Processes() ([]int, error) { return nil, nil }

func (l *left) Destroy(context.Context) error {
	text, err := os.ReadFile(filepath.Join(l.dir, "freezer.state"))
	l.removed = strings.TrimSpace(string(text))
	return err
}

// TestDestroyThaws destroys a cgroup that a pause has left frozen: a process that enters it
// later would never end.
func TestDestroyThaws(t *testing.T) {
	l := &left{dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(l.dir, "freezer.state"), []byte("FROZEN"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := DestroyCgroup(context.Background(), l, time.Second); err != nil {
		t.Fatal(err)
	}
	if l.removed != "THAWED" {
		t.Errorf("removed while %s", l.removed)
	}
}
