package sys

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestReadFile(t *testing.T) {
	for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, 100_000} {
		path, want := filepath.Join(t.TempDir(), "f"), bytes.Repeat([]byte("x"), size)
		if err := WriteFile(path, []byte("longer than before"), 0o640); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(path, want, 0o640); err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: read %d, %v", size, len(got), err)
		}
		got, err = ReadAtMost(path, 1000)
		if err != nil || !bytes.Equal(got, want[:min(size, 1000)]) {
			t.Errorf("%d bytes: read %d, %v", size, len(got), err)
		}
		if st, err := os.Stat(path); err != nil || st.Mode() != 0o640 {
			t.Errorf("mode %v, %v", st.Mode(), err)
		}
	}
	status, err := ReadFile("/proc/self/status") // its size is unknown, and more than a page of the buffer
	if err != nil || !bytes.Contains(status, []byte("\nnonvoluntary_ctxt_switches:")) {
		t.Errorf("read %q, %v", status, err)
	}
}

// TestReadFrom reads what a writer sends in parts, with limits and wrong sizes.
func TestReadFrom(t *testing.T) {
	sent := strings.Repeat("0123456789", 300)
	for _, limit := range []int{-1, 0, 1, 700, len(sent), len(sent) + 1} {
		for _, size := range []int{0, 10, len(sent), 100_000} {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				for part := range strings.SplitAfterSeq(sent, "9") {
					if _, err := w.WriteString(part); err != nil {
						t.Error(err)
					}
				}
				w.Close()
			}()
			got, err := ReadFrom(int(r.Fd()), "pipe", size, limit)
			want := sent
			if limit >= 0 {
				want = sent[:min(limit, len(sent))]
			}
			if err != nil || string(got) != want {
				t.Errorf("size %d, limit %d: read %d bytes, %v", size, limit, len(got), err)
			}
			for buf := make([]byte, 4096); err == nil; { // the writer must end
				_, err = r.Read(buf)
			}
			r.Close()
		}
	}
}

func TestOpenFile(t *testing.T) {
	dir := t.TempDir()
	f, err := OpenFile(filepath.Join(dir, "f"), unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("text"); err != nil {
		t.Error(err)
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0)
	if err != nil || flags != unix.FD_CLOEXEC {
		t.Errorf("flags %#x, %v", flags, err)
	}
	at, err := OpenFile(dir, unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	fd, err := Open(int(at.Fd()), "f", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if text, err := ReadFrom(fd, "f", 4, 100); string(text) != "text" {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestRename(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, text := range []string{"new", "replaced"} {
		if err := WriteFile(from, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Rename(from, to); err != nil {
			t.Error(err)
		}
		if got, err := ReadFile(to); string(got) != text {
			t.Errorf("read %q, %v", got, err)
		}
	}
	var link *os.LinkError
	if err := Rename(to, dir); !errors.As(err, &link) || link.Old != to || link.New != dir || !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENOTEMPTY) {
		t.Errorf("onto a directory: %v", err)
	}
	if err := Rename(from, to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestPlainFileErrors compares errors with those of package os.
func TestPlainFileErrors(t *testing.T) {
	dir := t.TempDir()
	full := "/dev/full"
	for name, failures := range map[string][2]error{
		"read nothing": {second(ReadFile(dir + "/none")), second(os.ReadFile(dir + "/none"))},
		"read a dir":   {second(ReadFile(dir)), second(os.ReadFile(dir))},
		"write a dir":  {WriteFile(dir, nil, 0), os.WriteFile(dir, nil, 0)},
		"write full":   {WriteFile(full, []byte("x"), 0), os.WriteFile(full, []byte("x"), 0)},
		"open nothing": {second(OpenFile(dir+"/none", 0, 0)), second(os.OpenFile(dir+"/none", 0, 0))},
	} {
		got, want := failures[0], failures[1]
		var path *fs.PathError
		if got == nil || got.Error() != want.Error() || !errors.As(got, &path) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
