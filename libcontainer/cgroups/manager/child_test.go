package manager

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"golang.org/x/sys/unix"
)

const (
	childEnv = "BERTH_CGROUP_TEST_CHILD"
	v2Env    = "BERTH_CGROUP_TEST_V2"
	limit    = time.Minute
)

func TestMain(m *testing.M) {
	if files, ok := os.LookupEnv(childEnv); ok {
		child(files)
		return
	}
	// The first pipe makes the Go runtime open its poller, which stays open.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	before := openFiles()
	code := m.Run()
	if after := openFiles(); code == 0 && after > before {
		fmt.Fprintf(os.Stderr, "%d open files leaked\n", after-before)
		code = 1
	}
	os.Exit(code)
}

func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// child is the process to put into a cgroup: it enters by the tasks files,
// reports that, then obeys requests until its standard input ends.
func child(files string) {
	for _, f := range filepath.SplitList(files) {
		// A Go program has several threads: all must enter. The init of a real
		// container has one thread.
		if err := os.WriteFile(filepath.Dir(f)+"/cgroup.procs", []byte("0"), 0); err != nil {
			fmt.Println("enter:", err)
			os.Exit(1)
		}
	}
	fmt.Println("in")
	var line string
	for {
		if _, err := fmt.Scanln(&line); err != nil {
			os.Exit(0)
		}
		operation, path, _ := strings.Cut(line, ":")
		fmt.Println(childDoes(operation, path))
	}
}

func childDoes(operation, path string) string {
	switch operation {
	case "open":
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return errors.Unwrap(err).Error()
		}
		f.Close()
	case "mknod":
		if err := unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 11))); err != nil {
			return err.Error()
		}
	case "fork":
		if err := exec.Command("sleep", "1000").Start(); err != nil {
			return err.Error()
		}
	case "memory":
		b := make([]byte, 16<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
	return "ok"
}

// kept holds the memory that a child was ordered to use.
var kept [][]byte

type process struct {
	*exec.Cmd
	in   *os.File
	out  *os.File
	err  error         // how it ended
	done chan struct{} // closed when it has
}

// start runs a child in the cgroup and waits until it is in there.
func start(t testing.TB, m cgroups.Manager) *process {
	t.Helper()
	e := m.Entry()
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), childEnv+"="+strings.Join(e.Files, ":"))
	c.Stderr = os.Stderr
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdin, c.Stdout = inR, outW
	if e.Dir != "" {
		dir, err := os.Open(e.Dir)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	inR.Close()
	outW.Close()
	p := &process{Cmd: c, in: inW, out: outR, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = c.Wait()
	}()
	t.Cleanup(func() {
		inW.Close()
		outR.Close()
		_ = c.Process.Kill()
		_ = p.wait(t)
	})
	if got := p.answer(t); got != "in" {
		t.Fatalf("child: %s", got)
	}
	return p
}

func (p *process) ask(t testing.TB, what string) string {
	t.Helper()
	fmt.Fprintln(p.in, what)
	return p.answer(t)
}

func (p *process) answer(t testing.TB) string {
	t.Helper()
	_ = p.out.SetReadDeadline(time.Now().Add(limit))
	var line []byte
	for b := make([]byte, 1); ; line = append(line, b[0]) {
		if _, err := p.out.Read(b); err != nil {
			return "answer: " + err.Error()
		}
		if b[0] == '\n' {
			return string(line)
		}
	}
}

// silent reports that the process does not answer, because it is frozen.
func (p *process) silent(t testing.TB) bool {
	t.Helper()
	fmt.Fprintln(p.in, "nothing")
	_ = p.out.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err := p.out.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func (p *process) wait(t testing.TB) error {
	t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(limit):
		t.Error("the process does not end")
		return nil
	}
}
