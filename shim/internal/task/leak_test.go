package task

import (
	"os"
	"runtime"
	"slices"
	"testing"

	taskapi "github.com/containerd/containerd/api/runtime/task/v3"
)

// resources are what must not grow: goroutines, and the targets of descriptors.
func resources(t *testing.T) (int, []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			files = append(files, target)
		}
	}
	slices.Sort(files)
	return runtime.NumGoroutine(), files
}

func TestNothingIsLeftOfTasks(t *testing.T) {
	h := newHost(t)
	count := 1000
	if testing.Short() || raceEnabled {
		count = 50
	}
	h.task()
	goroutines, files := resources(t)
	heap := liveHeap()
	for range count / 10 {
		for range 10 {
			h.task()
		}
	}
	eventually(t, "no more goroutines and descriptors than before", func() bool {
		g, f := resources(t)
		return g <= goroutines && len(f) <= len(files)
	})
	if grown := liveHeap() - heap; grown > 100_000 && !raceEnabled {
		t.Errorf("%d bytes more memory are in use after %d tasks", grown, count)
	}
	if left, _ := os.ReadDir(h.dir); len(left) > 2 { // the root file system and the state root
		t.Errorf("left in the directory: %v", left)
	}
}

// task runs a container with input, output and an exec process, and removes its bundle.
func (h *host) task() {
	r := h.request("sleep 1000")
	var stdout, execOut func() string
	r.Stdout, stdout = h.fifo()
	h.run(r)
	e := &taskapi.ExecProcessRequest{ID: r.ID, ExecID: "x"}
	e.Stdout, execOut = h.fifo()
	h.exec(e, "echo hello")
	if out := execOut(); out != "hello\n" {
		h.t.Errorf("output %q", out)
	}
	h.finish(r.ID, "x")
	h.kill(r.ID)
	stdout()
	for _, path := range []string{r.Bundle, r.Stdout, e.Stdout} {
		if err := os.RemoveAll(path); err != nil {
			h.t.Fatal(err)
		}
	}
	h.record.mu.Lock()
	h.record.events = nil
	h.record.mu.Unlock()
}

// liveHeap returns the bytes of the objects that are in use.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what sync.Pool has kept
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestRunningContainersKeepLittleMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs memory too")
	}
	h := newHost(t)
	h.task()
	const count, limit = 10, 30_000
	before := liveHeap()
	var ids []string
	for range count {
		r := h.request("sleep 1000")
		h.run(r)
		ids = append(ids, r.ID)
	}
	if grown := liveHeap() - before; grown > count*limit {
		t.Errorf("a container keeps %d bytes, want at most %d", grown/count, limit)
	}
	for _, id := range ids {
		h.kill(id)
	}
}
