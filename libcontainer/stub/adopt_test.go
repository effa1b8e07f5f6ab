package stub_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/berth-oci/berth/libcontainer/stub"
)

func TestAdoptedProcessPerformsNoCalls(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := stub.Adopt(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	c.Getpid()
	if err := c.Do(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if err := c.End(); err != nil {
		t.Error(err)
	}
}
