package stub

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// impostor returns a Child with the process sleep(1); the test answers its
// batches, as a container could that controls the stub.
func impostor(t *testing.T, answer func(mem region, control int)) *Child {
	t.Helper()
	f, err := anonymousRegion(MinRegion)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sock, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	if sock.mem, err = mapRegion(f); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pidfd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		fd, b := int(theirs.Fd()), make([]byte, 1)
		for {
			if n, _ := unix.Read(fd, b); n != 1 {
				return
			}
			answer(sock.mem, fd)
			unix.Write(fd, b) //nolint:errcheck // the driver may have gone
		}
	}()
	c := &Child{Proc: newProc(sock, sock.mem, nil), Pid: cmd.Process.Pid, Pidfd: os.NewFile(uintptr(pidfd), "pidfd"), sock: sock, control: Num(9)}
	t.Cleanup(func() {
		sock.cut()
		<-answered
		theirs.Close()
		c.Close() //nolint:errcheck // the end of the test
		c.Pidfd.Close()
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // killed
	})
	return c
}

// The pid of the child comes from the stub's memory: the driver must not kill
// another process than its own child.
func TestForkAcceptsOnlyAChild(t *testing.T) {
	stranger := os.Getppid()
	c := impostor(t, func(mem region, _ int) {
		mem.setRet(0, 0)
		args := int(binary.NativeEndian.Uint64(mem.op(0)[opArgs:]) - regionAddr)
		tid := int(binary.NativeEndian.Uint64(mem[args+24:]) - regionAddr)
		binary.NativeEndian.PutUint32(mem[tid:], uint32(stranger))
	})
	before := c.Pid
	err := c.Fork(0)
	if err == nil || c.Pid != before {
		t.Errorf("process %d is accepted, error %v", c.Pid, err)
	}
}

// A second descriptor would stay open here.
func TestFetchTakesOneDescriptor(t *testing.T) {
	c := impostor(t, func(mem region, control int) {
		mem.setRet(0, 1)
		rights := unix.UnixRights(0, 1)
		unix.Sendmsg(control, []byte{0}, rights, nil, 0) //nolint:errcheck // the test reads the result
	})
	before := descriptorsOpen(t)
	f, err := c.Fetch(Num(5))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if after := descriptorsOpen(t); after != before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
}

func descriptorsOpen(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// A length that a call returns is not used as an index.
func TestOfStaysInTheBuffer(t *testing.T) {
	buf := make([]byte, 8, 16)
	for n, want := range map[int64]int{-1 << 62: 0, -5000: 0, -1: 0, 0: 0, 5: 5, 8: 8, 9: 8, 1 << 62: 8} {
		if got := (&Value{n: n}).Of(buf); len(got) != want {
			t.Errorf("%d: %d bytes", n, len(got))
		}
	}
}

// After an error of the control socket an answer may belong to an earlier batch: no batch
// is performed any more.
func TestControlSocketIsNotUsedAfterAnError(t *testing.T) {
	batches := 0
	c := impostor(t, func(mem region, _ int) {
		batches++
		mem.setRet(0, 0)
	})
	whole := c.sock.fd
	c.sock.fd = -1
	c.Chdir("/")
	first := c.Do()
	c.sock.fd = whole
	if !errors.Is(first, unix.EBADF) {
		t.Fatalf("got %v", first)
	}
	c.Chdir("/")
	if err := c.Do(); !errors.Is(err, unix.EBADF) || batches > 0 {
		t.Errorf("got %v after %d batches", err, batches)
	}
}
