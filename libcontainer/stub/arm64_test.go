package stub

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// System call numbers of arm64, which uses those of asm-generic/unistd.h.
const (
	arm64Eventfd2 = 19
	arm64Mkdirat  = 34
	arm64Openat   = 56
	arm64Read     = 63
	arm64Write    = 64

	arm64RtSigaction = 134
)

// TestArm64StubUnderEmulation runs the stub of the other architecture. Image
// returns it in a program built for arm64.
func TestArm64StubUnderEmulation(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Skip("needs qemu-aarch64-static (Debian: qemu-user-static)")
	}
	dir := t.TempDir()
	image := arm64Image(t, qemu, dir)
	region, err := anonymousRegion(MinRegion)
	if err != nil {
		t.Fatal(err)
	}
	defer region.Close()
	c, err := spawn(Options{Region: region, command: []string{qemu, qemu, image}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		c.Close() //nolint:errcheck // ends the stub; Reap waits for that
		if err := c.Reap(); err != nil {
			t.Error(err)
		}
	}()
	at, path := Num(unix.AT_FDCWD), filepath.Join(dir, "file")
	again := c.queue("mkdirat", arm64Mkdirat, val(at), c.str(dir), num(0o755)).MayFail(unix.ENOENT, unix.EEXIST)
	f := c.queue("openat", arm64Openat, val(at), c.str(path), num(unix.O_CREAT|unix.O_WRONLY), num(0o600))
	c.queue("write", arm64Write, val(f), c.str("from arm64"), num(10))
	if err := c.Do(); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(again.Err(), unix.EEXIST) {
		t.Errorf("mkdirat: %v", again.Err())
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "from arm64" {
		t.Errorf("file holds %q, %v", got, err)
	}
	c.queue("openat", arm64Openat, val(at), c.str(path+"/x"), num(0), num(0))
	if err := c.Do(); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("openat below a file: %v", err)
	}
	missing := c.queue("openat", arm64Openat, val(at), c.str(path+"-"), num(0), num(0)).MayFail(unix.EACCES, unix.ENOENT)
	c.queue("write", arm64Write, val(missing), c.str("x"), num(1))
	if err := c.Do(); err != nil {
		t.Error(err)
	}
	if ret := c.mem.ret(1); ret != -int64(unix.ECANCELED) { // this file is only open in the stub, not in its driver
		t.Errorf("write to no file: %d", ret)
	}
	event := c.queue("eventfd2", arm64Eventfd2, num(0), num(unix.EFD_NONBLOCK))
	c.queue("read", arm64Read, val(event), output(make([]byte, 8)), num(8)).flag(flagAgain)
	if err := c.Do(); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("read of an event that never comes: %v", err)
	}
}

// TestArm64SignalHandlerUnderEmulation ends the stub of the other architecture
// by a signal that the stub handles.
func TestArm64SignalHandlerUnderEmulation(t *testing.T) {
	qemu, err := exec.LookPath("qemu-aarch64-static")
	if err != nil {
		t.Skip("needs qemu-aarch64-static (Debian: qemu-user-static)")
	}
	path := arm64Image(t, qemu, t.TempDir())
	image, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	region, err := anonymousRegion(MinRegion)
	if err != nil {
		t.Fatal(err)
	}
	defer region.Close()
	c, err := spawn(Options{Region: region, command: []string{qemu, qemu, path}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // the stub has ended
	handler := loadAddr + uint64(bytes.Index(image, []byte(handlerMark))+len(handlerMark))
	const restorer = 0x04000000
	c.queue("rt_sigaction", arm64RtSigaction, num(int(unix.SIGTERM)), data(words(handler, restorer, handler, 0)), num(0), num(8))
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

// arm64Image builds a program that prints the image, and runs it.
func arm64Image(t *testing.T, qemu, dir string) string {
	t.Helper()
	prog, image := filepath.Join(dir, "prog"), filepath.Join(dir, "image")
	build := exec.Command("go", "build", "-o", prog, "./internal/printimage")
	build.Env = append(os.Environ(), "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(qemu, prog).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(image, out, 0o755); err != nil {
		t.Fatal(err)
	}
	return image
}
