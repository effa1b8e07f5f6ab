package ociruntime_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// fakeResctrl returns a directory with the files that a resctrl file system has for a
// group "gold". New directories in it stay empty.
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

// createIn creates and deletes a container and returns its process ID.
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

		// The hook writes the last line.
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

// TestIntelRdtOfExec checks that a process of exec is in the container's group.
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

// TestIntelRdtFails checks that groups without a file "tasks" are removed.
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
	if _, err := createIn(t, root, spec); err == nil || !strings.Contains(err.Error(), "make resctrl group: linux.intelRdt.closID: group") {
		t.Error(err)
	}
}

// TestIntelRdtUpdate changes the schemata of a container's group and checks the
// statistics.
func TestIntelRdtUpdate(t *testing.T) {
	_, spec := setup(t, "sleep")
	root, ctx := fakeResctrl(t), context.Background()
	for file, text := range map[string]string{
		"schemata": "    L3:0=fff\n    MB:0=100\n", "gold/schemata": "    MB:0=100\n    L3:0=0ff\n",
		"info/L3/cbm_mask": "fff\n", "info/L3/min_cbm_bits": "1\n", "info/MB/min_bandwidth": "10\n",
		"gold/mon_data/mon_L3_00/llc_occupancy": "4096\n", "gold/mon_data/mon_L3_00/mbm_total_bytes": "7\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, file)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rt, err := ociruntime.New(ociruntime.Options{Root: filepath.Join(t.TempDir(), "state"), Resctrl: root})
	if err != nil {
		t.Fatal(err)
	}
	spec.Linux.IntelRdt = &specs.LinuxIntelRdt{ClosID: "gold"}
	c, err := rt.Run(ctx, "c", ociruntime.CreateOptions{Bundle: t.TempDir(), Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Delete(ctx, ociruntime.DeleteOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}()
	stats, err := c.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(stats.IntelRdt)
	const want = `{"l3_cache_info":{"cbm_mask":"fff","min_cbm_bits":1},"l3_cache_schema_root":"L3:0=fff","l3_cache_schema":"L3:0=0ff",` +
		`"mem_bw_info":{"min_bandwidth":10},"mem_bw_schema_root":"MB:0=100","mem_bw_schema":"MB:0=100",` +
		`"schemata":["MB:0=100","L3:0=0ff"],"mbm_stats":[{"mbm_total_bytes":7}],"cmt_stats":[{"llc_occupancy":4096}]}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	// Unlike in resctrl, the file holds only the last write.
	if err := c.Update(ctx, ociruntime.UpdateOptions{L3CacheSchema: "L3:0=f"}); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(filepath.Join(root, "gold/schemata")); !strings.HasPrefix(string(text), "L3:0=f\n") {
		t.Errorf("got %q", text)
	}
	var one, many int64 = -1, -5
	err = c.Update(ctx, ociruntime.UpdateOptions{
		L3CacheSchema: "L3:0=1", Resources: &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &one, Swap: &many}},
	})
	if err == nil || !strings.Contains(err.Error(), "memory.swap") {
		t.Errorf("got %v", err)
	}
	if text, _ := os.ReadFile(filepath.Join(root, "gold/schemata")); strings.HasPrefix(string(text), "L3:0=1\n") {
		t.Errorf("not taken back: %q", text)
	}
	if err := c.Update(ctx, ociruntime.UpdateOptions{MemBwSchema: "50"}); err == nil || !strings.Contains(err.Error(), "linux.intelRdt.memBwSchema") {
		t.Errorf("got %v", err)
	}
}
