package stdio

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// nobody owns no children.
type nobody struct{}

func (nobody) Own(int)    {}
func (nobody) Disown(int) {}

func fifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenWaitsForAReader(t *testing.T) {
	path := fifo(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, Streams{Stdout: path}, Options{Owner: nobody{}}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a reader: %v", err)
	}
	type result struct {
		io  *IO
		err error
	}
	opened := make(chan result)
	go func() {
		io, err := Open(t.Context(), Streams{Stdout: path}, Options{Owner: nobody{}})
		opened <- result{io, err}
	}()
	time.Sleep(20 * time.Millisecond)
	r, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := <-opened
	if got.err != nil {
		t.Fatal(got.err)
	}
	if err := got.io.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The program's output goes on when the client leaves, and its input waits for the next.
func TestClientsComeAndGo(t *testing.T) {
	out, in := fifo(t), fifo(t)
	r, err := os.OpenFile(out, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	io, err := Open(t.Context(), Streams{Stdin: in, Stdout: out}, Options{Owner: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	program := struct{ in, out *os.File }{dup(t, io.program[0]), dup(t, io.program[1])}
	io.Begin(nil)
	r.Close()
	if _, err := program.out.WriteString("for the next client\n"); err != nil {
		t.Fatal(err)
	}
	r, err = os.OpenFile(out, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	expectText(t, r, "for the next client\n")
	for _, text := range []string{"one", "two"} {
		w, err := os.OpenFile(in, os.O_WRONLY|unix.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString(text); err != nil {
			t.Fatal(err)
		}
		w.Close()
		expectText(t, program.in, text)
	}
	if err := io.CloseStdin(); err != nil {
		t.Error(err)
	}
	if n, err := program.in.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("read %d, %v after the end of the input", n, err)
	}
	program.out.Close()
	if !io.Drain(time.Minute) {
		t.Error("the output has no end")
	}
	if err := io.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func dup(t *testing.T, f *os.File) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	d := os.NewFile(uintptr(fd), f.Name())
	t.Cleanup(func() { d.Close() })
	return d
}

func expectText(t *testing.T, f *os.File, want string) {
	t.Helper()
	buffer := make([]byte, 100)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		n, err := f.Read(buffer)
		if n > 0 {
			if got := string(buffer[:n]); got != want {
				t.Errorf("read %q, want %q", got, want)
			}
			return
		}
		if err != nil {
			time.Sleep(5 * time.Millisecond) // a fifo without a writer
		}
	}
	t.Fatalf("%q does not come", want)
}

// Drain gives up, and Close ends the copies: a process may keep the output open.
func TestOutputWithoutEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	io, err := Open(t.Context(), Streams{Stdout: "file://" + path}, Options{Owner: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	dup(t, io.program[1])
	io.Begin(nil)
	if io.Drain(20 * time.Millisecond) {
		t.Error("the output has ended")
	}
	if err := io.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if !io.Drain(time.Minute) {
		t.Error("the copies go on after Close")
	}
}

func TestUnknownSchemeAndNoStreams(t *testing.T) {
	if _, err := Open(t.Context(), Streams{Stdout: "nonesuch:///x"}, Options{Owner: nobody{}}); err == nil {
		t.Error("no error")
	}
	io, err := Open(t.Context(), Streams{}, Options{Owner: nobody{}})
	if err != nil {
		t.Fatal(err)
	}
	if io.Stdin() != nil || io.Stdout() != nil || io.Stderr() != nil {
		t.Error("streams, and none are named")
	}
	io.Begin(nil)
	if !io.Drain(time.Minute) {
		t.Error("nothing to drain, and it does not end")
	}
	if err := io.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLoggerThatCannotStart(t *testing.T) {
	if _, err := Open(t.Context(), Streams{Stdout: "binary:///nonesuch"}, Options{Owner: nobody{}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
