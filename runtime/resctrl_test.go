package ociruntime_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// fakeResctrl is a directory with what a resctrl file system has of a group
// "gold". Nobody fills the directories that are made in it.
func fakeResctrl(t *testing.T) string {
	root := t.TempDir()
	for _, dir := range []string{"mon_groups", "gold"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"tasks", "gold/tasks"} {
		if err := os.WriteFile(filepath.Join(root, file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// createIn creates and deletes a container and gives its process id.
func createIn(t *testing.T, resctrl string, spec *specs.Spec) (pid int, err error) {
	t.Helper()
	rt, err := ociruntime.New(ociruntime.Options{Root: filepath.Join(t.TempDir(), "state"), Resctrl: resctrl})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	c, err := rt.Create(ctx, "c", ociruntime.CreateOptions{Bundle: t.TempDir(), Spec: spec})
	if err != nil {
		return 0, err
	}
	pid = c.Pid()
	return pid, c.Delete(ctx, ociruntime.DeleteOptions{Force: true})
}

func TestIntelRdtEnters(t *testing.T) {
	_, spec := setup(t, "sleep")
	for closID, tasks := range map[string]string{"gold": "gold/tasks", "/": "tasks"} {
		root := fakeResctrl(t)
		spec.Linux.IntelRdt = &specs.LinuxIntelRdt{ClosID: closID}
		spec.Hooks = nil
		pid, err := createIn(t, root, spec)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(root, tasks))
		if got := strings.TrimSpace(string(text)); err != nil || got != strconv.Itoa(pid) {
			t.Errorf("%s: got %q, %v, want %d", tasks, got, err, pid)
		}

		// The last line that was written is of the hook.
		spec.Hooks = &specs.Hooks{CreateContainer: []specs.Hook{{Path: "/bin/true"}}}
		if pid, err = createIn(t, root, spec); err != nil {
			t.Fatal(err)
		}
		text, err = os.ReadFile(filepath.Join(root, tasks))
		line, _, _ := strings.Cut(string(text), "\n")
		if hook, e := strconv.Atoi(line); err != nil || e != nil || hook == pid {
			t.Errorf("%s: got %q, %v, want a process other than %d", tasks, text, err, pid)
		}
	}
}

// TestIntelRdtOfExec looks whether what is executed is where the container is.
func TestIntelRdtOfExec(t *testing.T) {
	_, spec := setup(t, "sleep")
	root, ctx := fakeResctrl(t), context.Background()
	rt, err := ociruntime.New(ociruntime.Options{Root: filepath.Join(t.TempDir(), "state"), Resctrl: root})
	if err != nil {
		t.Fatal(err)
	}
	spec.Linux.IntelRdt = &specs.LinuxIntelRdt{ClosID: "gold"}
	c, err := rt.Run(ctx, "c", ociruntime.CreateOptions{Bundle: t.TempDir(), Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(root, "gold/tasks"), 0); err != nil {
		t.Error(err)
	}
	p, err := c.Exec(ctx, ociruntime.ExecOptions{Process: &specs.Process{Args: []string{"/hello", "exit", "0"}, Cwd: "/"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(ctx); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "gold/tasks"))
	if _, e := strconv.Atoi(strings.TrimSpace(string(text))); err != nil || e != nil {
		t.Errorf("got %q, %v, want the process executed", text, err)
	}
	if err := c.Delete(ctx, ociruntime.DeleteOptions{Force: true}); err != nil {
		t.Error(err)
	}
}

// TestIntelRdtFails makes groups without a file "tasks": they are removed.
func TestIntelRdtFails(t *testing.T) {
	_, spec := setup(t, "sleep")
	root := fakeResctrl(t)
	for made, rdt := range map[string]specs.LinuxIntelRdt{"c": {}, "mon_groups/c": {ClosID: "/", EnableMonitoring: true}} {
		spec.Linux.IntelRdt = &rdt
		_, err := createIn(t, root, spec)
		if want := "enter resctrl group: linux.intelRdt: open " + filepath.Join(root, made, "tasks"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := os.Lstat(filepath.Join(root, made)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left", made)
		}
	}
	spec.Linux.IntelRdt = &specs.LinuxIntelRdt{ClosID: "silver"}
	if _, err := createIn(t, root, spec); err == nil || !strings.Contains(err.Error(), "make resctrl group: linux.intelRdt.closID: there is no group") {
		t.Error(err)
	}
}
