package stub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// numbers are the system call numbers of an architecture, by name.
type numbers map[string]uint32

// generic are those of asm-generic/unistd.h.
var generic = numbers{
	"eventfd2": 19, "fcntl": 25, "mkdirat": 34, "openat": 56, "close": 57, "read": 63, "write": 64, "rt_sigaction": 134,
	"getpid": 172, "sendmsg": 211, "recvmsg": 212, "clone": 220, "madvise": 233, "accept4": 242, "spin": 0,
}

// emulated are the other architectures with a stub.
var emulated = []struct {
	architecture, qemu string
	numbers            numbers
	// cloneFlags is the argument of clone(2) with the flags.
	cloneFlags int
}{
	{"386", "qemu-i386-static", numbers{
		"read": 3, "write": 4, "close": 6, "getpid": 20, "fcntl": 55, "clone": 120, "rt_sigaction": 174, "madvise": 219,
		"openat": 295, "mkdirat": 296, "eventfd2": 328, "accept4": 364, "sendmsg": 370, "recvmsg": 372, "spin": 0,
	}, 0},
	{"arm64", "qemu-aarch64-static", generic, 0},
	{"loong64", "qemu-loongarch64-static", generic, 0},
	{"ppc64le", "qemu-ppc64le-static", numbers{
		"read": 3, "write": 4, "close": 6, "getpid": 20, "fcntl": 55, "clone": 120, "rt_sigaction": 173, "madvise": 205,
		"openat": 286, "mkdirat": 287, "eventfd2": 314, "sendmsg": 341, "recvmsg": 342, "accept4": 344, "spin": 0,
	}, 0},
	{"riscv64", "qemu-riscv64-static", generic, 0},
	{"s390x", "qemu-s390x-static", numbers{
		"read": 3, "write": 4, "close": 6, "getpid": 20, "fcntl": 55, "clone": 120, "rt_sigaction": 174, "madvise": 219,
		"openat": 288, "mkdirat": 289, "eventfd2": 323, "accept4": 364, "sendmsg": 370, "recvmsg": 372, "spin": 0,
	}, 1},
}

// emulator runs the image of another architecture.
type emulator struct {
	target
	qemu, image string
	numbers     numbers
	cloneFlags  int
}

// TestEmulation runs the stubs of other architectures.
func TestEmulation(t *testing.T) {
	for _, a := range emulated {
		t.Run(a.architecture, func(t *testing.T) {
			qemu, err := exec.LookPath(a.qemu)
			if err != nil {
				t.Skipf("needs %s (Debian: qemu-user-static)", a.qemu)
			}
			target, err := targetOf(a.architecture)
			if err != nil {
				t.Fatal(err)
			}
			e := &emulator{target, qemu, filepath.Join(t.TempDir(), "image"), a.numbers, a.cloneFlags}
			if err := os.WriteFile(e.image, e.assemble(t), 0o755); err != nil {
				t.Fatal(err)
			}
			t.Run("batches", e.testBatches)
			t.Run("flags", e.testFlags)
			t.Run("signal", e.testSignal)
			t.Run("descriptors", e.testDescriptors)
			t.Run("detach", e.testDetach)
			t.Run("program", e.testProgram)
		})
	}
}

// assemble returns the image. Assembling the stub takes a fraction of a second; a program
// needs the standard library of the architecture, which takes half a minute.
func (e *emulator) assemble(t *testing.T) []byte {
	t.Helper()
	object := filepath.Join(t.TempDir(), "stub.o")
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	headers := filepath.Join(strings.TrimSpace(string(goroot)), "pkg/include")
	source := "stub_" + e.architecture + ".s"
	if _, err := os.ReadFile(source); err != nil { // for the cache of go test, which does not see what the assembler reads
		t.Fatal(err)
	}
	cmd := exec.Command("go", "tool", "asm", "-p", "stub", "-I", headers, "-o", object, source)
	cmd.Env = append(os.Environ(), "GOARCH="+e.architecture)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := exec.Command("go", "tool", "nm", object).Output()
	if err != nil {
		t.Fatal(err)
	}
	header := bytes.Index(b, []byte("\x00go1")) // addresses begin at the magic number, which a line of text precedes
	for line := range strings.Lines(string(symbols)) {
		var start int
		if _, err := fmt.Sscanf(line, "%x t stubcode", &start); err != nil {
			continue
		}
		start += header
		if n := bytes.Index(b[start:], []byte(codeEnd)); n > 0 && n <= codeMax-len(codeEnd) {
			return e.target.image(b[start : start+n])
		}
	}
	t.Fatalf("no stubcode with %s within %d bytes among the symbols:\n%s", codeEnd, codeMax, symbols)
	return nil
}

// testProgram compares the image with the one that a program of the architecture prints.
func (e *emulator) testProgram(t *testing.T) {
	if e.architecture != "arm64" && os.Getenv("BERTH_ALL_BUILDS") == "" {
		t.Skip("needs BERTH_ALL_BUILDS=1 (the build takes half a minute)")
	}
	program := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", program, "./internal/printimage")
	build.Env = append(os.Environ(), "GOARCH="+e.architecture, "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run := exec.Command(e.qemu, program)
	if e.architecture == "386" { // Go programs crash in the qemu of Debian 12; kernels of amd64 run them
		run = exec.Command(program)
	}
	got, err := run.Output()
	if err != nil {
		t.Fatal(err)
	}
	if want, err := os.ReadFile(e.image); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: a program prints %d bytes that differ from the %d assembled ones", err, len(got), len(want))
	}
}

// start starts the stub and waits for its end when the test ends.
func (e *emulator) start(t *testing.T, o Options) *Child {
	t.Helper()
	o.command = []string{e.qemu, e.qemu, e.image}
	sock, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	if sock.mem, err = mapRegion(o.Region); err != nil {
		t.Fatal(err)
	}
	c := &Child{Proc: newProc(emulatedDriver{sock, e}, sock.mem, nil), sock: sock, control: Num(controlFD), listener: Num(extraFD)}
	c.narrow = e.narrow
	c.process = func() Process { return Process{c.Pid, c.Pidfd} }
	if c.Pid, c.Pidfd, err = forkExec(o, theirs); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close() //nolint:errcheck // ends the stub, if the test has not closed it; Reap waits for that
		if err := errors.Join(c.Reap(), c.Release()); err != nil {
			t.Error(err)
		}
	})
	if err := sock.send(e.order().AppendUint64(nil, uint64(len(sock.mem)))); err != nil {
		t.Fatal(err)
	}
	return c
}

func emulatedRegion(t *testing.T) *os.File {
	t.Helper()
	region, err := anonymousRegion(MinRegion)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { region.Close() })
	return region
}

func (e *emulator) testBatches(t *testing.T) {
	dir := t.TempDir()
	c := e.start(t, Options{Region: emulatedRegion(t)})
	at, path := Num(unix.AT_FDCWD), filepath.Join(dir, "file")
	again := c.Mkdirat(at, dir, 0o755).MayFail(unix.ENOENT, unix.EEXIST)
	f := c.Openat(at, path, unix.O_CREAT|unix.O_WRONLY, 0o600)
	c.Write(f, "from the stub")
	if err := c.Do(); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(again.Err(), unix.EEXIST) {
		t.Errorf("mkdirat: %v", again.Err())
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "from the stub" {
		t.Errorf("file holds %q, %v", got, err)
	}
	c.Openat(at, path+"/x", 0, 0)
	if err := c.Do(); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("openat below a file: %v", err)
	}
	missing := c.Openat(at, path+"-", 0, 0).MayFail(unix.EACCES, unix.ENOENT)
	c.Write(missing, "x")
	if err := c.Do(); err != nil {
		t.Error(err)
	}
	if ret := c.mem.ret(1); ret != -int64(unix.ECANCELED) { // this file is only open in the stub, not in its driver
		t.Errorf("write to no file: %d", ret)
	}
	c.Openat(at, path+"-", 0, 0).MayFail(unix.EACCES, unix.EEXIST)
	if err := c.Do(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("openat that may fail with other errors: %v", err)
	}
	event := c.queue("eventfd2", 0, num(0), num(unix.EFD_NONBLOCK))
	c.queue("read", 0, val(event), output(make([]byte, 8)), num(8)).flag(flagAgain)
	if err := c.Do(); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("read of an event that never comes: %v", err)
	}
}

// testFlags: the stub adopts another control descriptor, waits for a word, and continues
// in a child that it forks.
func (e *emulator) testFlags(t *testing.T) {
	c := e.start(t, Options{Region: emulatedRegion(t)})
	c.Fcntl(c.control, unix.F_DUPFD_CLOEXEC, 10).flag(flagAdopt)
	c.CloseFd(c.control)
	if err := c.Do(); err != nil {
		t.Fatal(err)
	}
	c.SpinUntil()
	before := c.Getpid()
	c.Meanwhile(c.Wake)
	if err := c.Do(); err != nil {
		t.Fatal(err)
	}
	c.Meanwhile(nil)
	parent := before.Int()
	args := []arg{num(0), num(0), num(0), num(0), num(0)}
	args[e.cloneFlags] = num(int(unix.SIGCHLD))
	c.queue("clone", 0, args...).flag(flagFork)
	after := c.Getpid()
	if err := c.Do(); err != nil {
		t.Fatal(err)
	}
	if child := after.Int(); child == parent || child <= 0 || parent != c.Pid {
		t.Errorf("process %d was started, %d is forked by %d", c.Pid, child, parent)
	}
}

// testSignal ends the stub by a signal that it handles.
func (e *emulator) testSignal(t *testing.T) {
	image, err := os.ReadFile(e.image)
	if err != nil {
		t.Fatal(err)
	}
	c := e.start(t, Options{Region: emulatedRegion(t)})
	c.sigExit(int(unix.SIGTERM), loadAddr+uint64(bytes.Index(image, []byte(handlerMark))+len(handlerMark)))
	if err := c.Do(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(c.Pid, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(c.Pid, &status, 0, nil); err != nil || status.ExitStatus() != 128+int(unix.SIGTERM) {
		t.Errorf("exit status %d, %v", status.ExitStatus(), err)
	}
}

// testDescriptors: descriptors pass both ways.
func (e *emulator) testDescriptors(t *testing.T) {
	c := e.start(t, Options{Region: emulatedRegion(t)})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if err := r.SetReadDeadline(time.Now().Add(time.Minute)); err != nil { // ends the test if a wrong file is passed
		t.Fatal(err)
	}
	fd, err := c.Pass(w)
	if err != nil {
		t.Fatal(err)
	}
	c.Write(fd, "passed")
	if err := c.Do(); err != nil {
		t.Fatal(err)
	}
	var got [6]byte
	if _, err := io.ReadFull(r, got[:]); err != nil || string(got[:]) != "passed" {
		t.Errorf("pipe holds %q, %v", got, err)
	}
	back, err := c.Fetch(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer back.Close()
	if _, err := back.WriteString("fetch"); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(r, got[:5]); err != nil || string(got[:5]) != "fetch" {
		t.Errorf("pipe holds %q, %v", got, err)
	}
}

// testDetach: a detached stub accepts another driver.
func (e *emulator) testDetach(t *testing.T) {
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := os.NewFile(uintptr(listener), "listener")
	defer l.Close()
	name := &unix.SockaddrUnix{Name: filepath.Join(t.TempDir(), "s")}
	if err := errors.Join(unix.Bind(listener, name), unix.Listen(listener, 1)); err != nil {
		t.Fatal(err)
	}
	region := emulatedRegion(t)
	c := e.start(t, Options{Region: region, Listener: l})
	if err := errors.Join(c.Detach(), c.Close()); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	next := os.NewFile(uintptr(fd), "next")
	defer next.Close()
	if err := unix.Connect(fd, name); err != nil {
		t.Fatal(err)
	}
	p, err := Attach(next, region, Process{c.Pid, c.Pidfd}, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close() //nolint:errcheck // ends the stub
	s, ok := p.driver.(*socket)
	if !ok {
		t.Fatalf("driver is %T", p.driver)
	}
	p.driver, p.narrow = emulatedDriver{s, e}, e.narrow
	pid := p.Getpid()
	if err := p.Do(); err != nil || pid.Int() != c.Pid {
		t.Errorf("pid is %d, %v; want %d", pid.Int(), err, c.Pid)
	}
}

// emulatedDriver translates each batch into the system call numbers and the byte order of
// the other architecture, and the results back.
type emulatedDriver struct {
	*socket
	e *emulator
}

func (d emulatedDriver) exchange(p *Proc) error {
	for i := range p.ops {
		nr, ok := d.e.numbers[p.ops[i].name]
		if !ok {
			return fmt.Errorf("no number of %s on %s", p.ops[i].name, d.e.architecture)
		}
		binary.NativeEndian.PutUint32(p.mem.op(i)[opNr:], nr)
	}
	if d.e.order() == binary.AppendByteOrder(nativeOrder()) {
		return d.socket.exchange(p)
	}
	swapBatch(p)
	for i := range p.ops {
		if p.ops[i].flags&flagAnswer != 0 { // the stub goes on reading the batch after its answer
			return d.socket.exchange(p)
		}
	}
	defer swapBatch(p)
	return d.socket.exchange(p)
}

func nativeOrder() binary.AppendByteOrder {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// swapBatch reverses the bytes of all numbers in a batch.
func swapBatch(p *Proc) {
	swap(p.mem, 4)
	for i := range p.ops {
		swap(p.mem.op(i), 4, 4, 2, 2, 2, 2, 2, 2, 4, 8, 8, 8, 8, 8, 8, 8)
		for _, a := range p.ops[i].args {
			swapTarget(p.mem, a)
		}
	}
}

// swapTarget reverses the bytes of the numbers in the struct that an argument points to,
// and in those that this points to: all are words, but the end of a control message.
func swapTarget(mem region, a arg) {
	if a.m == nil || a.kind != argPtr {
		return
	}
	for _, to := range a.m.to {
		swapTarget(mem, *to)
	}
	size := max(len(a.m.data), len(a.m.dst))
	b := mem[a.n-regionAddr:][:size]
	if size == 24 { // CMSG_SPACE(4) of 64 bits
		swap(b, 8, 4, 4, 4)
		return
	}
	for ; len(b) >= 8; b = b[8:] {
		swap(b, 8)
	}
}

// swap reverses the bytes of fields that follow each other.
func swap(b []byte, sizes ...int) {
	for _, n := range sizes {
		for i, k := 0, n-1; i < k; i, k = i+1, k-1 {
			b[i], b[k] = b[k], b[i]
		}
		b = b[n:]
	}
}
