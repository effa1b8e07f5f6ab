package manager_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
)

// A program runs with limits, without a container, on a host of any mode.
func Example() {
	limits := &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(100))}}
	stats, err := runLimited("/builds/42", limits, "make", "test")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(time.Duration(stats.CPU.Usage.Total), "of CPU time,", stats.Memory.Usage.Max, "bytes at most")
}

// runLimited runs a program in a new cgroup, and returns the last statistics.
func runLimited(place string, limits *specs.LinuxResources, command ...string) (stats *cgroups.Stats, err error) {
	m, err := manager.New(manager.Options{CgroupsPath: place})
	if err != nil {
		return nil, err
	}
	if err := m.Create(); err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		err = errors.Join(err, cgroups.Kill(m, unix.SIGKILL), m.Destroy(ctx))
	}()
	if err := m.Set(limits); err != nil {
		return nil, err
	}
	// A shell waits until it is in the cgroup: a child of an earlier moment would not be.
	// On v2, SysProcAttr.UseCgroupFD with Entry().Dir starts a program in the cgroup.
	gate, open, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer gate.Close()
	const wait = `read -r _ <&3; exec "$@" 3<&-`
	cmd := exec.Command("/bin/sh", append([]string{"-c", wait, "sh"}, command...)...)
	cmd.ExtraFiles = []*os.File{gate}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, open.Close())
	}
	if err := m.AddProcess(cmd.Process.Pid); err != nil {
		return nil, errors.Join(err, cmd.Process.Kill(), open.Close(), cmd.Wait())
	}
	if err := errors.Join(open.Close(), cmd.Wait()); err != nil {
		return nil, err
	}
	return m.Stats()
}

func TestExample(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	place := fmt.Sprintf("/berth-cgtest-%d-example", os.Getpid())
	own := filepath.Join(t.TempDir(), "own")
	// The program sees its cgroup, and its child is there too.
	stats, err := runLimited(place, &specs.LinuxResources{}, "sh", "-c", `sh -c "cat /proc/self/cgroup; :" >"$0"`, own)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(own); err != nil || !strings.Contains(string(text), ":"+place+"\n") {
		t.Errorf("the program was in %s, %v", text, err)
	}
	if stats.CPU.Usage.Total == 0 {
		t.Error("no CPU time")
	}
	if r, err := manager.Inspect("", place); err != nil {
		t.Error(err)
	} else if _, err := r.Stats(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("the cgroup is left: %v", err)
	}
}
