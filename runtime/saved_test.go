package ociruntime_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// savedFormats has the files of a container as each version of the format has them.
const savedFormats = "../libcontainer/internal/state/testdata"

// TestContainerOfAnotherRelease replaces the files of a new container by those that other
// releases have saved, with its process, cgroup and program, and a field of the future.
func TestContainerOfAnotherRelease(t *testing.T) {
	formats, err := filepath.Glob(filepath.Join(savedFormats, "*", "web"))
	if err != nil || len(formats) == 0 {
		t.Fatalf("no saved format: %v", err)
	}
	for _, format := range formats {
		t.Run(filepath.Base(filepath.Dir(format)), func(t *testing.T) { handle(t, format) })
	}
}

// handle performs each operation on a container with the files of a format.
func handle(t *testing.T, format string) {
	_, spec := setup(t)
	spec.Linux.CgroupsPath = fmt.Sprintf("/berth-saved-%d", os.Getpid())
	root := filepath.Join(t.TempDir(), "state")
	rt, err := ociruntime.New(ociruntime.Options{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	made, err := rt.Create(t.Context(), "web", ociruntime.CreateOptions{Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer made.Delete(t.Context(), ociruntime.DeleteOptions{Force: true}) //nolint:errcheck // only after a failure
	dir := filepath.Join(root, "web")
	resave(t, filepath.Join(format, "state.json"), filepath.Join(dir, "state.json"), func(saved, now map[string]any) {
		for _, key := range []string{"pid", "startTime", "cgroups", "bundle", "rootfs"} {
			saved[key] = now[key]
		}
		saved["program"] = "/hello"
	})
	resave(t, filepath.Join(format, "config.json"), filepath.Join(dir, "config.json"), func(saved, now map[string]any) {
		for _, key := range []string{"Bundle", "Rootfs", "CgroupsPath"} {
			saved[key] = now[key]
		}
		saved["Process"].(map[string]any)["Args"] = []string{"/hello", "sleep"}
		if runtime.GOARCH != "amd64" { // of the saved filter
			saved["Seccomp"] = nil
		}
	})
	filter, err := os.ReadFile(filepath.Join(format, "filter"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "filter"), filter, 0o600); err != nil {
		t.Fatal(err)
	}

	c, err := rt.Load("web")
	if err != nil {
		t.Fatal(err)
	}
	state, err := c.State()
	if err != nil || state.Status != "created" || state.Annotations["com.example.release"] != "0.1.0" {
		t.Errorf("state %+v, %v", state, err)
	}
	if cfg, err := c.Config(); err != nil || cfg.Process.UID != 1000 || !cfg.Hooked(config.Poststop) {
		t.Errorf("configuration %+v, %v", cfg, err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	process, err := c.NewProcess("/hello", "exit", "5")
	if err != nil {
		t.Fatal(err)
	}
	if process.User.UID != 1000 || !process.NoNewPrivileges {
		t.Errorf("a process like the saved one: %+v", process)
	}
	p, err := c.Exec(t.Context(), ociruntime.ExecOptions{Process: process})
	if err != nil {
		t.Fatal(err)
	}
	if status, err := p.Wait(t.Context()); err != nil || status.Code != 5 {
		t.Errorf("exec: %v, %v", status, err)
	}
	checkFilter(t, c.Pid())
	limit := int64(50)
	update := ociruntime.UpdateOptions{Resources: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &limit}}}
	steps := map[string]func() error{
		"update": func() error { return c.Update(t.Context(), update) },
		"pause":  func() error { return c.Pause(t.Context()) },
		"resume": func() error { return c.Resume(t.Context()) },
		"kill":   func() error { return c.Kill(t.Context(), unix.SIGKILL) },
	}
	for _, name := range []string{"update", "pause", "resume", "kill"} {
		if err := steps[name](); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if status, err := c.Wait(t.Context()); err != nil || status.Signal != unix.SIGKILL {
		t.Errorf("status %v, %v", status, err)
	}
	if err := c.Delete(t.Context(), ociruntime.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// checkFilter checks that start installed the saved filter.
func checkFilter(t *testing.T, pid int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	if filtered := bytes.Contains(status, []byte("Seccomp:\t2")); filtered != (runtime.GOARCH == "amd64") {
		t.Errorf("seccomp filter %t:\n%s", filtered, status)
	}
}

// resave writes a saved file with values of the present one.
func resave(t *testing.T, from, to string, merge func(saved, now map[string]any)) {
	t.Helper()
	read := func(name string) (value map[string]any) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	saved := read(from)
	merge(saved, read(to))
	saved["laterField"] = slices.Collect(maps.Keys(saved))
	text, err := json.Marshal(saved)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
