package specconv

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares v, as JSON, with a file in testdata.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	got, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	goldenText(t, name, append(got, '\n'))
}

// goldenText compares a text with a file in testdata.
func goldenText(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range gotLines {
		if i == len(wantLines) || !bytes.Equal(gotLines[i], wantLines[i]) {
			t.Errorf("not as in %s (go test -update, and look at the difference) from line %d on:\n%s", path, i+1, gotLines[i])
			return
		}
	}
	t.Errorf("shorter than %s (go test -update, and look at the difference)", path)
}

func TestDefaultGolden(t *testing.T) {
	golden(t, "default.json", Default(DefaultOptions{}))
	golden(t, "default-cgroupns.json", Default(DefaultOptions{CgroupNamespace: true}))
	golden(t, "default-rootless.json", Default(DefaultOptions{Rootless: true, CgroupNamespace: true, UID: 1000, GID: 1001}))
}

func TestDefaultConverts(t *testing.T) {
	var file bytes.Buffer
	if err := json.NewEncoder(&file).Encode(Default(DefaultOptions{CgroupNamespace: true})); err != nil {
		t.Fatal(err)
	}
	spec, err := Load(&file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Convert(spec, Options{Bundle: "/bundle/."})
	if err != nil {
		t.Fatal(err)
	}
	if want := uint64(unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP); c.Namespaces.New != want {
		t.Errorf("new namespaces %#x, want %#x", c.Namespaces.New, want)
	}
	if len(c.Process.Warnings) != 0 {
		t.Errorf("warnings: %q", c.Process.Warnings)
	}
}

// TestDefaultIsFresh compares the memory of two results: callers edit them.
func TestDefaultIsFresh(t *testing.T) {
	a, b := Default(DefaultOptions{}), Default(DefaultOptions{})
	a.Process.Capabilities.Bounding[0] = "x"
	a.Mounts[1].Options[0] = "x"
	a.Linux.MaskedPaths[0] = "x"
	a.Process.Args[0] = "x"
	if b.Process.Capabilities.Bounding[0] == "x" || b.Process.Capabilities.Effective[0] == "x" || a.Process.Capabilities.Effective[0] == "x" ||
		b.Mounts[1].Options[0] == "x" || b.Linux.MaskedPaths[0] == "x" || b.Process.Args[0] == "x" {
		t.Error("results share memory")
	}
}
