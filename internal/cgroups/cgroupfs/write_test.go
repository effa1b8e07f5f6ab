package cgroupfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestNamesStayInTheDirectory(t *testing.T) {
	top := t.TempDir()
	dir := top + "/cgroup"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, top, "x", "outside")
	write(t, dir, "own", "")
	for link, target := range map[string]string{"rel": "../x", "abs": top + "/x", "near": "own", "magic": "/proc/self/cwd"} {
		if err := os.Symlink(target, dir+"/"+link); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "/x", "a/b", "x\x00", "rel", "abs", "near", "magic"} {
		if err := WriteFile(dir, name, "hit"); err == nil {
			t.Errorf("WriteFile(%q) succeeds", name)
		}
		if _, err := ReadFile(dir, name); err == nil {
			t.Errorf("ReadFile(%q) succeeds", name)
		}
	}
	if b, _ := os.ReadFile(top + "/x"); string(b) != "outside" {
		t.Errorf("the file outside holds %q", b)
	}
}

func TestWriteErrorNamesAll(t *testing.T) {
	dir := t.TempDir()
	err := new(Transaction).Apply(dir, []Write{{
		Field: "memory.limit", File: "memory.max", Value: "100",
		Remedy: map[unix.Errno]string{unix.ENOENT: "do this"},
	}})
	if !errors.Is(err, unix.ENOENT) {
		t.Fatalf("error %v is not ENOENT", err)
	}
	for _, part := range []string{"memory.limit: ", `"100"`, strconv.Quote(dir), `"memory.max"`, "(do this)"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

// Podman takes "no such file or directory" to mean that the program was not
// found, and prints "command not found".
func TestMissingFileIsNotAMissingProgram(t *testing.T) {
	dir := t.TempDir()
	for name, err := range map[string]error{
		"file":   new(Transaction).Apply(dir, []Write{{Field: "pids.limit", File: "pids.max", Value: "5"}}),
		"cgroup": new(Transaction).Apply(dir+"/gone", []Write{{Field: "pids.limit", File: "pids.max", Value: "5"}}),
		"other":  Missing("controller %q", "pids"),
	} {
		if !errors.Is(err, unix.ENOENT) || !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v is not ENOENT", name, err)
		}
		if strings.Contains(err.Error(), unix.ENOENT.Error()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestApplyOrder simulates the kernel's rule that a <= b at any moment.
func TestApplyOrder(t *testing.T) {
	for _, c := range []struct{ a, b, newA, newB int }{
		{100, 200, 300, 400}, {300, 400, 100, 200}, {100, 400, 200, 300}, {200, 300, 100, 400}, {1, 1, 2, 2}, {2, 2, 1, 1},
	} {
		a, b := c.a, c.b
		err := applyWith([]Write{{File: "a"}, {File: "b"}}, func(w Write) error {
			na, nb := a, b
			if w.File == "a" {
				na = c.newA
			} else {
				nb = c.newB
			}
			if na > nb {
				return fmt.Errorf("write %s: %w", w.File, unix.EINVAL)
			}
			a, b = na, nb
			return nil
		})
		if err != nil || a != c.newA || b != c.newB {
			t.Errorf("%+v: got %d %d, %v", c, a, b, err)
		}
	}
	calls := 0
	err := applyWith([]Write{{File: "a"}, {File: "b"}}, func(w Write) error {
		calls++
		return fmt.Errorf("write %s: %w", w.File, unix.EINVAL)
	})
	if calls != 2 || err == nil || err.Error() != "write a: invalid argument" {
		t.Errorf("two invalid writes: %d calls, %v", calls, err)
	}
	err = applyWith([]Write{{File: "a"}, {File: "b"}}, func(w Write) error { return unix.EBUSY })
	if !errors.Is(err, unix.EBUSY) {
		t.Errorf("error %v, want EBUSY at once", err)
	}
}

// A rollback restores the old values, in files of one value, of lines and of
// lists.
func TestTransaction(t *testing.T) {
	before := map[string]string{
		"memory.max": "4096", "cpu.max": "max 100000", "cpuset.cpus": "", "cpuset.mems": "", "cpuset.mems.effective": "0-3",
		"io.max": "8:0 rbps=1 wbps=max", "io.weight": "default 100\n8:0 50", "memory.oom_control": "oom_kill_disable 0\nunder_oom 0",
	}
	writes := []Write{
		{File: "memory.max", Value: "8192"},
		{File: "memory.max", Value: "12288"},
		{File: "cpu.max", Value: "500 1000"},
		{File: "cpuset.cpus", Value: "0-1"},
		{File: "cpuset.mems", Value: "0"},
		{File: "io.max", Row: "8:0", Value: "8:0 rbps=2"},
		{File: "io.weight", Row: "default", Value: "200"},
		{File: "memory.oom_control", Row: "oom_kill_disable", Value: "1"},
	}
	dir := t.TempDir()
	for name, content := range before {
		write(t, dir, name, content+"\n")
	}
	var tx Transaction
	if err := tx.Apply(dir, writes); err != nil {
		t.Fatal(err)
	}
	for i, w := range writes[1:] {
		if got, _ := ReadFile(dir, w.File); got != w.Value {
			t.Errorf("write %d: %s = %q", i+1, w.File, got)
		}
	}
	missing := Write{Field: "x", File: "x.max", Value: "1"}
	err := tx.Rollback(tx.Apply(dir, []Write{missing}))
	if !errors.Is(err, unix.ENOENT) || strings.Contains(err.Error(), "restore") {
		t.Errorf("error %v", err)
	}
	// The kernel takes these one by one; this test wrote one line alone.
	before["io.weight"], before["memory.oom_control"] = "100", "0"
	// The kernel would refuse to empty it again.
	before["cpuset.mems"] = before["cpuset.mems.effective"]
	for name, want := range before {
		if got, err := ReadFile(dir, name); got != want {
			t.Errorf("%s = %q, want %q, %v", name, got, want, err)
		}
	}
}

// A value that the file has already is not written: v1 would refuse even the
// old limit while more memory is in use.
func TestTransactionLeavesWhatHolds(t *testing.T) {
	dir := t.TempDir()
	for _, w := range []Write{
		{File: "memory.limit_in_bytes", Value: "8192"},
		{File: "memory.limit_in_bytes", Value: "8193", Pages: true},
		{File: "io.max", Row: "8:0", Value: "8:0 rbps=1"},
	} {
		content := "8192\n"
		if w.Row != "" {
			content = "7:0 rbps=2\n8:0 rbps=1\n"
		}
		write(t, dir, w.File, content)
		if err := new(Transaction).Apply(dir, []Write{w}); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(dir + "/" + w.File); string(got) != content {
			t.Errorf("%+v: written, %q", w, got)
		}
	}
	w := Write{File: "pids.max", Value: "8193"}
	write(t, dir, w.File, "8192\n")
	if err := new(Transaction).Apply(dir, []Write{w}); err != nil {
		t.Fatal(err)
	}
	if got, _ := ReadFile(dir, w.File); got != "8193" {
		t.Errorf("%+v: %q", w, got)
	}
}
