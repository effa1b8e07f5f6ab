package stub_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// start starts a stub that ends with the test.
func start(t *testing.T, o stub.Options) *stub.Child {
	t.Helper()
	c, err := stub.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Kill(), c.Reap(), c.Release()); err != nil {
			t.Error(err)
		}
		c.Close() //nolint:errcheck // the test may have closed it
	})
	return c
}

func do(t *testing.T, p *stub.Proc) {
	t.Helper()
	if err := p.Do(); err != nil {
		t.Fatal(err)
	}
}

func TestBatchUsesResultsOfEarlierCalls(t *testing.T) {
	c := start(t, stub.Options{})
	path := filepath.Join(t.TempDir(), "file")
	f := c.Openat(stub.Num(unix.AT_FDCWD), path, unix.O_CREAT|unix.O_RDWR, 0o600)
	c.Write(f, "hello")
	st, _ := c.Statx(f, "", unix.AT_EMPTY_PATH)
	c.CloseFd(f)
	do(t, c.Proc)
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "hello" {
		t.Fatalf("file holds %q, %v", got, err)
	}
	if st.Mode() != unix.S_IFREG|0o600 {
		t.Errorf("mode is %o", st.Mode())
	}
}

func TestBatchStopsAtTheFirstFailure(t *testing.T) {
	c := start(t, stub.Options{})
	dir := t.TempDir()
	at := stub.Num(unix.AT_FDCWD)
	allowed := c.Mkdirat(at, dir, 0o755).MayFail(unix.EEXIST)
	c.Label("mounts[3] bind %q", "/src")
	c.Mkdirat(at, dir+"/a/b", 0o755)
	after := c.Mkdirat(at, dir+"/c", 0o755)
	err := c.Do()
	if !errors.Is(err, unix.ENOENT) {
		t.Fatalf("error is %v", err)
	}
	if want := `mounts[3] bind "/src": mkdirat: no such file or directory (ENOENT)`; err.Error() != want {
		t.Errorf("message is %q, want %q", err, want)
	}
	if !errors.Is(allowed.Err(), unix.EEXIST) {
		t.Errorf("call that may fail: %v", allowed.Err())
	}
	if !errors.Is(after.Err(), unix.ECANCELED) {
		t.Errorf("call after the failure: %v", after.Err())
	}
	if _, err := os.Stat(dir + "/c"); err == nil {
		t.Error("call after the failure was performed")
	}
	c.Label("")
	c.Mkdirat(at, dir+"/d", 0o755)
	do(t, c.Proc)
}

func TestStubHoldsNothingOfTheCallers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("looks into a process that is not dumpable: needs root")
	}
	leaked, err := unix.Open("/", unix.O_RDONLY, 0) // without O_CLOEXEC
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leaked)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	extra, err := os.Open("/etc/passwd")
	if err != nil {
		t.Fatal(err)
	}
	defer extra.Close()
	c := start(t, stub.Options{Files: []*os.File{null, null, null, extra}})
	fds := fdLinks(t, c.Pid)
	if fds["3"] != "/etc/passwd" {
		t.Errorf("descriptor 3 is %q", fds["3"])
	}
	if len(fds) != 5 { // stdio, the extra one, the control socket
		t.Errorf("descriptors: %v", fds)
	}
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", c.Pid))
	if err != nil || bytes.Contains(maps, []byte("go")) {
		t.Errorf("maps: %v\n%s", err, maps)
	}
}

func TestStartRefusesClosedFile(t *testing.T) {
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for want, files := range map[int][]*os.File{1: {nil, closed}, 3: {nil, nil, nil, nil}, 4: {nil, nil, nil, os.Stdin, closed}} {
		_, err := stub.Start(t.Context(), stub.Options{Files: files})
		text := fmt.Sprintf("make process: the file for descriptor %d is nil or closed: bad file descriptor", want)
		if !errors.Is(err, unix.EBADF) || err.Error() != text {
			t.Errorf("got %v, want %s", err, text)
		}
	}
}

func fdLinks(t *testing.T, pid int) map[string]string {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	links := map[string]string{}
	for _, e := range list {
		links[e.Name()], _ = os.Readlink(filepath.Join(dir, e.Name()))
	}
	return links
}

// TestStubIsNotDumpable asks the stub itself. It is not visible from outside:
// root may read everything, and each change of user, or join of a user
// namespace, resets it.
func TestStubIsNotDumpable(t *testing.T) {
	c := start(t, stub.Options{})
	dumpable := c.Prctl(unix.PR_GET_DUMPABLE)
	if err := c.Do(); err != nil || dumpable.Int() != 0 {
		t.Errorf("got %d, %v", dumpable.Int(), err)
	}
}

func TestStubEndsWithItsDriver(t *testing.T) {
	c := start(t, stub.Options{})
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	waitExit(t, c)
}

func waitExit(t *testing.T, c *stub.Child) {
	t.Helper()
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(c.Pidfd.Fd()), Events: unix.POLLIN}}, 5000)
	if n != 1 {
		t.Fatalf("stub still runs (%v)", err)
	}
}

func TestExecve(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := start(t, stub.Options{Files: []*os.File{nil, w, nil}})
	w.Close()
	c.Execve("/no/such/program", []string{"x"}, nil)
	if err := c.Do(); !errors.Is(err, unix.ENOENT) {
		t.Fatalf("missing program: %v", err)
	}
	c.Execve("/bin/sh", []string{"sh", "-c", "echo $A; ls /proc/self/fd | wc -l"}, []string{"A=b"})
	do(t, c.Proc)
	var out bytes.Buffer
	if _, err := out.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(out.String()); !slices.Equal(got, []string{"b", "4"}) { // the standard three and the directory itself
		t.Errorf("output %q", got)
	}
}

func TestForkIntoPidNamespace(t *testing.T) {
	needRoot(t)
	c := start(t, stub.Options{})
	first := c.Pid
	c.Unshare(unix.CLONE_NEWPID)
	if err := c.Fork(unix.CLONE_NEWUTS); err != nil {
		t.Fatal(err)
	}
	if c.Pid == first {
		t.Fatal("still the same process")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("NSpid:\t%d\t1\n", c.Pid); !bytes.Contains(status, []byte(want)) {
		t.Errorf("no %q in status", want)
	}
	if want := fmt.Sprintf("PPid:\t%d\n", os.Getpid()); !bytes.Contains(status, []byte(want)) {
		t.Errorf("no %q in status", want)
	}
	c.Umask(0)
	do(t, c.Proc)
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("makes namespaces: needs root")
	}
}

func TestDetachAndAttach(t *testing.T) {
	dir := t.TempDir()
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	name := &unix.SockaddrUnix{Name: filepath.Join(dir, "s")}
	if err := errors.Join(unix.Bind(listener, name), unix.Listen(listener, 1)); err != nil {
		t.Fatal(err)
	}
	l := os.NewFile(uintptr(listener), "listener")
	region, err := os.OpenFile(filepath.Join(dir, "region"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer region.Close()
	if err := region.Truncate(stub.MinRegion); err != nil {
		t.Fatal(err)
	}
	c := start(t, stub.Options{Region: region, Listener: l})
	l.Close()
	if err := errors.Join(c.Detach(), c.Close()); err != nil {
		t.Fatal(err)
	}
	if rss := residentKB(t, c.Pid); rss > 64 {
		t.Errorf("resident memory is %d kB", rss)
	}

	p := attach(t, c, name, region)
	path := filepath.Join(dir, "made")
	p.Mkdirat(stub.Num(unix.AT_FDCWD), path, 0o700)
	do(t, p)
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	waitExit(t, c)
}

func attach(t *testing.T, c *stub.Child, name *unix.SockaddrUnix, region *os.File) *stub.Proc {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	sock := os.NewFile(uintptr(fd), "control")
	defer sock.Close()
	if err := unix.Connect(fd, name); err != nil {
		t.Fatal(err)
	}
	p, err := stub.Attach(sock, region, stub.Process{Pid: c.Pid, Pidfd: c.Pidfd}, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func residentKB(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nVmRSS:")
	n := 0
	if _, err := fmt.Sscan(rest, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFetch(t *testing.T) {
	c := start(t, stub.Options{})
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		fd := c.Openat(stub.Num(unix.AT_FDCWD), path, unix.O_RDONLY, 0)
		f, err := c.Fetch(fd)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		if err != nil || string(got) != "text" {
			t.Errorf("read %q, %v", got, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := c.Fetch(stub.Num(1000)); !errors.Is(err, unix.EBADF) {
		t.Errorf("a descriptor that the stub does not have: %v", err)
	}
	c.CloseFd(stub.Num(0))
	do(t, c.Proc) // the next batch still works
}

func TestPass(t *testing.T) {
	c := start(t, stub.Options{})
	path := filepath.Join(t.TempDir(), "file")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, text := range []string{"one", " two"} {
		passed, err := c.Pass(f)
		if err != nil {
			t.Fatal(err)
		}
		flags := c.Fcntl(passed, unix.F_GETFD, 0)
		c.Write(passed, text)
		do(t, c.Proc)
		if flags.Int() != unix.FD_CLOEXEC {
			t.Errorf("flags of the descriptor: %#x", flags.Int())
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "one two" {
		t.Errorf("file holds %q, %v", got, err)
	}
}

// TestOpenatBelowSurvivesRenames opens paths with ".." below a directory while
// another process renames: the kernel returns EAGAIN when it cannot decide
// whether ".." still has the same target.
func TestOpenatBelowSurvivesRenames(t *testing.T) {
	c := start(t, stub.Options{})
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(dir+"/a", 0o755), os.Mkdir(dir+"/b", 0o755)); err != nil {
		t.Fatal(err)
	}
	stop, ended := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if err := unix.Renameat2(unix.AT_FDCWD, dir+"/a", unix.AT_FDCWD, dir+"/b", unix.RENAME_EXCHANGE); err != nil {
				ended <- err
				return
			}
		}
	}()
	root := c.Openat(stub.Num(unix.AT_FDCWD), dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	do(t, c.Proc)
	for range 100 {
		for range 100 {
			c.CloseFd(c.OpenInRoot(root, "a/../b/../a/../b/../a", unix.O_PATH))
		}
		if err := c.Do(); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestSpinUntilWoken(t *testing.T) {
	c := start(t, stub.Options{})
	c.SpinUntil()
	c.Umask(0)
	done := make(chan error)
	go func() { done <- c.Do() }()
	for { // Do clears the word as it begins
		c.Wake()
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// do gets the result of a call before the next call is made.
func TestHold(t *testing.T) {
	c := start(t, stub.Options{})
	c.Umask(0o27)
	mask := c.Umask(0o77)
	got := -1
	c.Hold(mask, func(result int) error {
		got = result
		return nil
	})
	after := c.Umask(0)
	if err := c.Do(); err != nil {
		t.Fatal(err)
	}
	if got != 0o27 || after.Int() != 0o77 {
		t.Errorf("%#o, then %#o", got, after.Int())
	}
}

func TestHoldThatFails(t *testing.T) {
	c := start(t, stub.Options{})
	mask, want := c.Umask(0), errors.New("no")
	c.Hold(mask, func(int) error { return errors.Join(want, c.Kill()) })
	c.Umask(0)
	if err := c.Do(); !errors.Is(err, want) {
		t.Error(err)
	}
}

// An earlier call that fails ends the batch, and do is not called.
func TestHoldThatIsNotReached(t *testing.T) {
	c := start(t, stub.Options{})
	fd := c.Openat(stub.Num(unix.AT_FDCWD), "/nowhere", 0, 0)
	c.Hold(fd, func(int) error { return errors.New("called") })
	if err := c.Do(); !errors.Is(err, unix.ENOENT) {
		t.Error(err)
	}
}

func TestKilledStubIsReported(t *testing.T) {
	c := start(t, stub.Options{})
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	waitExit(t, c)
	c.Umask(0)
	err := c.Do()
	if !errors.Is(err, stub.ErrGone) {
		t.Fatalf("error is %v", err)
	}
}

// TestClose uses a closed Proc: it must use neither unmapped memory, nor a
// descriptor number that may be another file's by then.
func TestClose(t *testing.T) {
	c := start(t, stub.Options{})
	c.Umask(0)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Do(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a call queued before: %v", err)
	}
	c.Openat(stub.Num(unix.AT_FDCWD), "/", unix.O_PATH, 0)
	c.Setgroups([]uint32{1})
	if err := c.Do(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("do: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	c, err := stub.Start(b.Context(), stub.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { c.Close(); c.Reap(); c.Release() }() //nolint:errcheck // a benchmark
	for b.Loop() {
		c.Umask(0)
		if err := c.Do(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		c, err := stub.Start(b.Context(), stub.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(c.Close(), c.Reap(), c.Release()); err != nil {
			b.Fatal(err)
		}
	}
}
