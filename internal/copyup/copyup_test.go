package copyup

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// start starts a stub, as any user.
func start(t *testing.T) *stub.Child {
	t.Helper()
	c, err := stub.Start(t.Context(), stub.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range []error{c.Close(), c.Kill(), c.Reap(), c.Release()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return c
}

// open makes the stub open a directory.
func open(t *testing.T, p *stub.Proc, dir string) *stub.Value {
	t.Helper()
	fd := p.Openat(stub.Num(unix.AT_FDCWD), dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err := p.Do(); err != nil {
		t.Fatal(err)
	}
	return fd
}

func copyDir(t *testing.T, from, to string) error {
	p := start(t).Proc
	return Copy(p, open(t, p, from), open(t, p, to))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fill makes a directory with files of all types that an unprivileged user can
// make.
func fill(t *testing.T, dir string) {
	t.Helper()
	write := func(name string, size int, mode fs.FileMode) {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, bytes.Repeat([]byte("0123456789"), size/10), 0o600))
		must(t, os.Chmod(path, mode))
	}
	write("empty", 0, 0o644)
	write("suid", 10, 0o755|fs.ModeSetuid)
	write("secret", 100, 0o400)
	write("big", 3<<20, 0o644)
	write("a/b/c/deep", 10, 0o644)
	for i := range 100 { // more than one batch
		write(fmt.Sprintf("many/file with a long name, so that the list of names is read in portions, number %d", i), 10, 0o644)
	}
	must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "absolute")))
	must(t, os.Symlink("../../outside", filepath.Join(dir, "a/relative")))
	must(t, os.Link(filepath.Join(dir, "big"), filepath.Join(dir, "a/linked")))
	must(t, unix.Mkfifo(filepath.Join(dir, "fifo"), 0o640))
	must(t, os.Chmod(filepath.Join(dir, "a/b"), 0o750|fs.ModeSticky))
	old := time.Unix(1e9, 123456789)
	for _, name := range []string{"empty", "a/b", "many"} {
		must(t, os.Chtimes(filepath.Join(dir, name), old, old))
	}
}

// describe lists the names, modes, owners, times and contents of all files in
// dir.
func describe(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	inodes := map[uint64]string{}
	must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		must(t, err)
		name, _ := filepath.Rel(dir, path)
		var st unix.Stat_t
		must(t, unix.Lstat(path, &st))
		if name == "." {
			return nil
		}
		fmt.Fprintf(&b, "%s %o %d:%d %d.%09d", name, st.Mode, st.Uid, st.Gid, st.Mtim.Sec, st.Mtim.Nsec)
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			link, err := os.Readlink(path)
			must(t, err)
			b.WriteString(" -> " + link)
		case unix.S_IFREG:
			content, err := os.ReadFile(path)
			must(t, err)
			fmt.Fprintf(&b, " %d %x", st.Size, content[:min(len(content), 20)])
			if first, ok := inodes[st.Ino]; ok {
				b.WriteString(" is " + first)
			}
			inodes[st.Ino] = name
		}
		b.WriteByte('\n')
		return nil
	}))
	return b.String()
}

func TestCopy(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	fill(t, from)
	must(t, copyDir(t, from, to))
	if want, got := describe(t, from), describe(t, to); want != got {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
}

func TestCopyKeepsHoles(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	f, err := os.Create(filepath.Join(from, "holes"))
	must(t, err)
	for _, at := range []int64{1 << 20, 5 << 20} {
		_, err := f.WriteAt([]byte("data"), at)
		must(t, err)
	}
	must(t, f.Truncate(64<<20))
	must(t, f.Close())
	must(t, copyDir(t, from, to))
	var st unix.Stat_t
	must(t, unix.Stat(filepath.Join(to, "holes"), &st))
	if st.Size != 64<<20 || st.Blocks*512 > 1<<20 {
		t.Errorf("size %d, %d blocks", st.Size, st.Blocks)
	}
	want, err := os.ReadFile(filepath.Join(from, "holes"))
	must(t, err)
	got, err := os.ReadFile(filepath.Join(to, "holes"))
	must(t, err)
	if !bytes.Equal(want, got) {
		t.Error("the content differs")
	}
}

func TestCopyKeepsAttributes(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	file := filepath.Join(from, "file")
	must(t, os.WriteFile(file, nil, 0o644))
	values := map[string]string{"user.a": "short", "user.b": strings.Repeat("long", 500)}
	for name, value := range values {
		if err := unix.Setxattr(file, name, []byte(value), 0); err != nil {
			t.Skip(err)
		}
	}
	must(t, copyDir(t, from, to))
	for name, value := range values {
		got := make([]byte, 4096)
		n, err := unix.Getxattr(filepath.Join(to, "file"), name, got)
		if err != nil || string(got[:n]) != value {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
	}
}

func TestCopyFailsByName(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	must(t, os.MkdirAll(filepath.Join(from, "a"), 0o755))
	must(t, os.WriteFile(filepath.Join(from, "a/file"), nil, 0o644))
	must(t, os.MkdirAll(filepath.Join(to, "a"), 0o755))
	err := copyDir(t, from, to)
	if err == nil || err.Error() != `copy "/a": mkdirat: file exists (EEXIST)` {
		t.Error(err)
	}
}

func TestParseNames(t *testing.T) {
	entry := func(size int, name string) []byte {
		b := make([]byte, max(nameAt, size))
		b[16], b[17] = byte(size), byte(size>>8)
		copy(b[nameAt:], name)
		return b
	}
	names, err := parseNames(append(append(entry(24, "."), entry(24, "..")...), entry(32, "name\x00rest")...))
	if err != nil || len(names) != 1 || names[0] != "name" {
		t.Errorf("%q, %v", names, err)
	}
	for name, list := range map[string][]byte{
		"cut":           entry(24, "a")[:10],
		"size 0":        entry(0, "a"),
		"too long":      entry(40, "a")[:24],
		"without end":   entry(24, "abcde"),
		"empty":         entry(24, ""),
		"with a slash":  entry(24, "a/b"),
		"second is cut": append(entry(24, "a"), 1, 2, 3),
	} {
		if names, err := parseNames(list); err == nil {
			t.Errorf("%s: %q", name, names)
		}
	}
}

func FuzzParseNames(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 8, 'a', 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, list []byte) {
		names, err := parseNames(list)
		for _, name := range names {
			if err == nil && (name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00")) {
				t.Errorf("%q", name)
			}
		}
	})
}
