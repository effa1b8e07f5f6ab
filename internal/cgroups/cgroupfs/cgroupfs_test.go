package cgroupfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestCleanPath(t *testing.T) {
	for in, want := range map[string]string{
		"":             "",
		"/":            "/",
		".":            "",
		"a/b":          "a/b",
		"/a/b/":        "/a/b",
		"../../x":      "x",
		"/../../x":     "/x",
		"a/../../x":    "x",
		"/a/./b//../c": "/a/c",
		"..":           "",
		"a/..":         "",
	} {
		if got := CleanPath(in); got != want {
			t.Errorf("CleanPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"", "/", "..", "a/../..", "/../..", "a//b/./c", "..a/...", "../\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := CleanPath(s)
		if filepath.IsAbs(got) != filepath.IsAbs(s) {
			t.Errorf("CleanPath(%q) = %q changes between relative and absolute", s, got)
		}
		if slices.Contains(strings.Split(got, "/"), "..") {
			t.Errorf("CleanPath(%q) = %q leads out", s, got)
		}
		if CleanPath(got) != got {
			t.Errorf("CleanPath(%q) = %q is not clean", s, got)
		}
	})
}

func TestParse(t *testing.T) {
	if got, err := ParseList("0-3,7\n"); err != nil || !reflect.DeepEqual(got, []uint16{0, 1, 2, 3, 7}) {
		t.Errorf("ParseList = %v, %v", got, err)
	}
	if got, err := ParseList(""); err != nil || got != nil {
		t.Errorf("ParseList of nothing = %v, %v", got, err)
	}
	if _, err := ParseList("0-65535,0-65535,x"); err == nil {
		t.Error("ParseList accepts an invalid list")
	}
	for in, want := range map[string]uint64{"max": Max, "0": 0, "-1": 0, " 12\n": 12, "18446744073709551615": Max} {
		if got, err := ParseUint(in); got != want || err != nil {
			t.Errorf("ParseUint(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	if _, err := ParseUint("x"); err == nil {
		t.Error("ParseUint accepts an invalid number")
	}
}

func TestReaderKeepsTheFirstError(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", "word\n")
	var g Reader
	err := g.In(dir, func(g *Reader) {
		if n, exists := g.UintIf("absent"); n != 0 || exists || g.err != nil {
			t.Errorf("absent file: %d, %t, %v", n, exists, g.err)
		}
		g.Uint("a")
		g.Parse("later")
	})
	if err == nil || !strings.Contains(err.Error(), "word") || !strings.Contains(err.Error(), dir+"/a") {
		t.Errorf("error %v does not name the file and the value that was read", err)
	}
	if err := g.In(dir+"/gone", func(*Reader) { t.Error("read without a directory") }); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no directory: %v", err)
	}
	if err := g.In(dir, func(*Reader) {}); err != nil {
		t.Errorf("the error of another directory: %v", err)
	}
}

// A file can be larger than the buffer, of exactly its size, and empty.
func TestReaderReadsAll(t *testing.T) {
	dir := t.TempDir()
	var g Reader
	for _, size := range []int{0, 1, readerSize - 1, readerSize, readerSize + 1, 5 * readerSize, 3} {
		want := strings.Repeat("x", size)
		write(t, dir, "a", want)
		err := g.In(dir, func(g *Reader) {
			if got, exists := g.TextIf("a"); got != want || !exists {
				t.Errorf("%d bytes of %d, exists %t", len(got), size, exists)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestReaderTable(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", "mlx5_0 hca_handle=2 hca_object=max\ntotal=7 N0=3 N12=4\nalone\n\n")
	want := map[string]map[string]uint64{"mlx5_0": {"hca_handle": 2, "hca_object": Max}, "total": {"N0": 3, "N12": 4}}
	err := new(Reader).In(dir, func(g *Reader) {
		if got := g.Table("a"); !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	if err != nil {
		t.Error(err)
	}
	write(t, dir, "a", "mlx5_0 hca_handle=x\n")
	if err := new(Reader).In(dir, func(g *Reader) { g.Table("a") }); err == nil {
		t.Error("Table accepts a value that is not a number")
	}
}

func TestProcessesIn(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cgroup.procs", "30\n10\n10\n")
	for _, sub := range []string{"b", "b/c"} {
		if err := os.Mkdir(dir+"/"+sub, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, dir+"/"+sub, "cgroup.procs", "2"+fmt.Sprint(len(sub))+"\n")
	}
	got, err := ProcessesIn(dir)
	if err != nil || !reflect.DeepEqual(got, []int{10, 21, 23, 30}) {
		t.Errorf("ProcessesIn = %v, %v", got, err)
	}
	err = CheckEmpty(dir)
	if !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "cgroup not empty: 4 processes") || !strings.Contains(err.Error(), dir) {
		t.Errorf("CheckEmpty: %v", err)
	}
}

func TestMakeAndRemove(t *testing.T) {
	top := t.TempDir()
	made, err := MakeDir(top + "/a/b/c")
	if want := []string{top + "/a", top + "/a/b", top + "/a/b/c"}; err != nil || !reflect.DeepEqual(made, want) {
		t.Fatalf("MakeDir = %q, %v", made, err)
	}
	if again, err := MakeDir(top + "/a/b/c"); err != nil || again != nil {
		t.Errorf("MakeDir again = %q, %v", again, err)
	}
	// Another cgroup keeps the parent that both have.
	if _, err := MakeDir(top + "/a/x"); err != nil {
		t.Fatal(err)
	}
	RemoveMade(made)
	if _, err := os.Stat(top + "/a/b"); !os.IsNotExist(err) {
		t.Errorf("RemoveMade leaves a/b: %v", err)
	}
	if _, err := os.Stat(top + "/a/x"); err != nil {
		t.Errorf("RemoveMade removes another cgroup: %v", err)
	}
	if _, err := MakeDir(top + "/a/x/1/2"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := RemoveTree(context.Background(), top+"/a"); err != nil {
			t.Errorf("RemoveTree: %v", err)
		}
	}
	write(t, top, "file", "")
	if _, err := MakeDir(top + "/file/x"); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("MakeDir below a file: %v", err)
	}
}

// The umask of the caller must not hide the limits from the program.
func TestMakeDirIgnoresTheUmask(t *testing.T) {
	top := t.TempDir()
	defer unix.Umask(unix.Umask(0o777))
	made, err := MakeDir(top + "/a/b/c")
	if err != nil || len(made) != 3 {
		t.Fatalf("MakeDir = %q, %v", made, err)
	}
	for _, dir := range made {
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
			t.Errorf("%s: %v, %v", dir, info.Mode(), err)
		}
	}
}

// TestDeepCgroups nests cgroups deeper than a path can be long, as a container can.
func TestDeepCgroups(t *testing.T) {
	const depth = 50
	top := t.TempDir() + "/top"
	if err := os.Mkdir(top, 0o755); err != nil {
		t.Fatal(err)
	}
	dir, err := unix.Open(top, unix.O_PATH|unix.O_CLOEXEC, 0)
	for range depth {
		if err != nil {
			t.Fatal(err)
		}
		parent, name := dir, strings.Repeat("x", 200)
		if err = unix.Mkdirat(parent, name, 0o755); err == nil {
			dir, err = unix.Openat(parent, name, unix.O_PATH|unix.O_CLOEXEC, 0)
		}
		unix.Close(parent)
	}
	unix.Close(dir)
	seen := 0
	err = Walk(top, func(dir string) error {
		seen++
		_, err := os.Stat(dir + "/cgroup.procs")
		if errors.Is(err, unix.ENOENT) {
			err = nil
		}
		return err
	})
	if err != nil || seen != depth+1 {
		t.Errorf("Walk: %d directories, %v", seen, err)
	}
	if err := RemoveTree(t.Context(), top); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(top); !errors.Is(err, unix.ENOENT) {
		t.Errorf("RemoveTree leaves %q: %v", top, err)
	}
}

func TestRootIsSpared(t *testing.T) {
	for dir, want := range map[string]bool{"/proc": true, "/proc/self": false, t.TempDir(): false, t.TempDir() + "/none": false} {
		if got, err := IsRoot(dir); got != want || err != nil {
			t.Errorf("IsRoot(%s): %t, %v", dir, got, err)
		}
	}
	if err := RemoveTree(context.Background(), "/proc"); !errors.Is(err, unix.EPERM) {
		t.Errorf("RemoveTree of a mount point: %v", err)
	}
}

// TestUnknownIsNotAbsent asks about paths that cannot be looked up: that is not an
// answer, so nothing may be killed, removed or left out because of it.
func TestUnknownIsNotAbsent(t *testing.T) {
	loop := t.TempDir() + "/loop"
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	if root, err := IsRoot(loop); root || !errors.Is(err, unix.ELOOP) {
		t.Errorf("IsRoot: %t, %v", root, err)
	}
	if there, err := Exists(loop, "cgroup.procs"); there || !errors.Is(err, unix.ELOOP) {
		t.Errorf("Exists: %t, %v", there, err)
	}
	if there, err := Exists(t.TempDir(), "cgroup.procs"); there || err != nil {
		t.Errorf("Exists without the file: %t, %v", there, err)
	}
	if err := RemoveTree(context.Background(), loop); !errors.Is(err, unix.ELOOP) {
		t.Errorf("RemoveTree: %v", err)
	}
	if err := (Write{File: "pids.max", Value: "1"}).apply(loop); !errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOENT) {
		t.Errorf("Write: %v", err)
	}
	if err := new(Reader).In(loop, func(*Reader) {}); !errors.Is(err, unix.ELOOP) {
		t.Errorf("Reader: %v", err)
	}
}

func TestWaitEvent(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cgroup.events", "populated 1\nfrozen 0\n")
	if err := WaitEvent(dir, "frozen", "0", time.Now()); err != nil {
		t.Errorf("WaitEvent for the current value: %v", err)
	}
	err := WaitEvent(dir, "populated", "0", time.Now().Add(5*time.Millisecond))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("WaitEvent for a value that never comes: %v", err)
	}
	if frozen, err := FrozenV2(dir); frozen || err != nil {
		t.Errorf("FrozenV2 = %v, %v", frozen, err)
	}
	for state, want := range map[string]bool{"THAWED": false, "FROZEN": true, "FREEZING": true} {
		write(t, dir, "freezer.state", state+"\n")
		if frozen, err := FrozenV1(dir); frozen != want || err != nil {
			t.Errorf("FrozenV1 of %s = %v, %v", state, frozen, err)
		}
	}
	for _, f := range []func(string) (bool, error){FrozenV1, FrozenV2} {
		if frozen, err := f(dir + "/gone"); frozen || err != nil {
			t.Errorf("frozen though absent: %v, %v", frozen, err)
		}
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
