package libcontainer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// TestExecAfterDelete deletes a running container between Load and Exec.
func TestExecAfterDelete(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "c")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ticks, _, err := state.StartTimeOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	s := state.State{Version: 1, ID: "c", Pid: os.Getpid(), StartTime: ticks, Complete: true}
	if err := s.Write(dir); err != nil {
		t.Fatal(err)
	}
	c, err := Load(root, "c", nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, err := c.Status(); status != Running {
		t.Fatalf("status %s, %v", status, err)
	}
	if _, err := state.Remove(dir); err != nil {
		t.Fatal(err)
	}
	_, err = c.Exec(context.Background(), ExecOptions{Process: &config.Process{Args: []string{"true"}}})
	if !errors.Is(err, ErrNotExist) {
		t.Errorf("exec after delete: %v", err)
	}
}
