package stub_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"weak"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// failing makes a recorder return an errno for some calls.
func failing(rec *stub.Recorder, errnos map[string]unix.Errno) {
	rec.Answer = func(call, _ string) (int64, bool) {
		e, ok := errnos[call]
		return -int64(e), ok
	}
}

func TestOnlyToleratedErrnosAreIgnored(t *testing.T) {
	for errno, tolerated := range map[unix.Errno]bool{
		unix.ENOSYS: true, unix.EEXIST: true, unix.EPERM: false, unix.EDQUOT: false, unix.EIO: false, unix.ECANCELED: false,
	} {
		p, rec := stub.Record(nil)
		failing(rec, map[string]unix.Errno{"keyctl": errno})
		v := p.JoinSessionKeyring("k").MayFail(unix.ENOSYS, unix.EEXIST)
		p.Umask(0)
		err := p.Do()
		if tolerated != (err == nil) || !errors.Is(v.Err(), errno) {
			t.Errorf("%v: %v, the call's error is %v", errno, err, v.Err())
		}
		if calls := len(rec.Lines); tolerated != (calls == 2) {
			t.Errorf("%v: %d calls are performed", errno, calls)
		}
	}
}

func TestErrnosMustBeNamed(t *testing.T) {
	for _, errnos := range [][]unix.Errno{nil, {1, 2, 3, 4, 5}} {
		p, _ := stub.Record(nil)
		p.Setsid().MayFail(errnos...)
		if err := p.Do(); err == nil {
			t.Errorf("%d errnos are accepted", len(errnos))
		}
	}
}

// A call is not performed if it would take the result of one that has failed,
// in the same batch or an earlier one: as a descriptor, -ENETDOWN is AT_FDCWD.
func TestCallsWithoutAnArgumentAreCanceled(t *testing.T) {
	for _, divided := range []bool{false, true} {
		p, rec := stub.Record(nil)
		failing(rec, map[string]unix.Errno{"openat": unix.ENETDOWN})
		fd := p.Openat(stub.Num(unix.AT_FDCWD), "dir", 0, 0).MayFail(unix.ENETDOWN)
		if divided {
			do(t, p)
		}
		inner := p.Openat2(fd, "x", 0, 0)
		wrote := p.Write(inner, "text")
		p.CloseFd(fd)
		p.Umask(0)
		do(t, p)
		for _, v := range []*stub.Value{inner, wrote} {
			if !errors.Is(v.Err(), unix.ECANCELED) {
				t.Errorf("divided %t: %v", divided, v.Err())
			}
		}
		if len(rec.Lines) != 2 {
			t.Errorf("divided %t: %q", divided, rec.Lines)
		}
	}
}

func TestRealStubCancelsAndTolerates(t *testing.T) {
	c := start(t, stub.Options{})
	at, dir := stub.Num(unix.AT_FDCWD), t.TempDir()
	fd := c.Openat(at, dir+"/missing", unix.O_RDONLY, 0).MayFail(unix.EACCES, unix.ELOOP, unix.ENOTDIR, unix.ENOENT)
	canceled := c.Mkdirat(fd, "made", 0o755)
	made := c.Mkdirat(at, dir+"/made", 0o755)
	do(t, c.Proc)
	if !errors.Is(fd.Err(), unix.ENOENT) || !errors.Is(canceled.Err(), unix.ECANCELED) || made.Err() != nil {
		t.Errorf("errors %v, %v, %v", fd.Err(), canceled.Err(), made.Err())
	}
	c.Mkdirat(at, dir+"/made", 0o755).MayFail(unix.ENOENT)
	after := c.Mkdirat(at, dir+"/after", 0o755)
	if err := c.Do(); !errors.Is(err, unix.EEXIST) || !errors.Is(after.Err(), unix.ECANCELED) {
		t.Errorf("error %v, the call after it: %v", err, after.Err())
	}
}

func TestChecks(t *testing.T) {
	odd := errors.New("odd")
	cases := map[string]struct {
		judge func(v *stub.Value) error
		want  string
	}{
		"accepts it":               {func(v *stub.Value) error { return ignore(v.Err(), unix.EIO) }, ""},
		"refuses it":               {func(v *stub.Value) error { return fmt.Errorf("%w: %w", odd, v.Err()) }, "label: odd: input/output error"},
		"does not read the result": {func(*stub.Value) error { return nil }, "label: setsid: input/output error (EIO)"},
		"reads it and refuses it":  {func(v *stub.Value) error { return v.Err() }, "label: input/output error"},
	}
	for name, c := range cases {
		p, rec := stub.Record(nil)
		failing(rec, map[string]unix.Errno{"setsid": unix.EIO})
		p.Step("step")
		p.Label("label")
		v := p.Setsid().Checked()
		p.Check(func() error { return c.judge(v) })
		p.Step("next")
		err := p.Do()
		if got := fmt.Sprint(err); err != nil && got != c.want || (err == nil) != (c.want == "") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		var check *stub.CheckError
		if errors.As(err, &check) && check.Step != "step" {
			t.Errorf("%s: step %q", name, check.Step)
		}
	}
}

func ignore(err error, errno unix.Errno) error {
	if errors.Is(err, errno) {
		return nil
	}
	return err
}

// A check is called before the calls queued after it are sent, and not at all
// if its own calls were not reached. It may make calls itself.
func TestChecksAreCalledInOrder(t *testing.T) {
	p, rec := stub.Record(nil)
	failing(rec, map[string]unix.Errno{"chroot": unix.EPERM})
	var order []string
	note := func(name string) func() error {
		return func() error { order = append(order, name); return nil }
	}
	p.Step("first")
	p.Getpid()
	p.Check(note("first"))
	p.Setsid()
	p.Check(func() error {
		p.Umask(0o22)
		err := p.Do()
		order = append(order, "second")
		return err
	})
	p.Chroot("/")
	p.Check(note("third"))
	if err := p.Do(); !errors.Is(err, unix.EPERM) {
		t.Errorf("error %v", err)
	}
	if want := []string{"first", "second"}; !slices.Equal(order, want) {
		t.Errorf("called %q, want %q", order, want)
	}
	if last := rec.Lines[len(rec.Lines)-1]; last != "umask(0x12) = 0" {
		t.Errorf("last call %q", last)
	}
}

// Only the queue needs to know how much a batch holds.
func TestBatchesAreDivided(t *testing.T) {
	p, rec := stub.Record(nil)
	checked, path := 0, "/"+strings.Repeat("x", 4000)
	first := p.Openat(stub.Num(unix.AT_FDCWD), "/", 0, 0)
	for range 10000 {
		v := p.Mkdirat(first, path, 0o755)
		p.Check(func() error {
			checked++
			return v.Err()
		})
	}
	do(t, p)
	if len(rec.Lines) != 10001 || checked != 10000 {
		t.Errorf("%d calls, %d checked", len(rec.Lines), checked)
	}
	if want := "mkdirat(10, "; !strings.HasPrefix(rec.Lines[10000], want) {
		t.Errorf("the last call is %.20q", rec.Lines[10000])
	}
}

func TestRealBatchesAreDivided(t *testing.T) {
	c := start(t, stub.Options{})
	dir := t.TempDir()
	fd := c.Openat(stub.Num(unix.AT_FDCWD), dir, unix.O_RDONLY, 0)
	for i := range 2000 {
		c.Mkdirat(fd, fmt.Sprint(i), 0o755)
	}
	buf := make([]byte, 60<<10)
	n := c.Getdents64(fd, buf)
	do(t, c.Proc)
	if n.Int() < 40<<10 {
		t.Errorf("%d bytes of directory", n.Int())
	}
	made, err := filepath.Glob(dir + "/*")
	if err != nil || len(made) != 2000 {
		t.Errorf("%d directories, %v", len(made), err)
	}
}

// After a batch that has failed, all calls queued up to Do are dropped.
func TestFailureInADividedBatch(t *testing.T) {
	p, rec := stub.Record(nil)
	failing(rec, map[string]unix.Errno{"chroot": unix.EPERM})
	p.Getpid()
	p.Label("here")
	p.Chroot("/")
	p.Label("")
	for range 2000 {
		p.Getpid()
	}
	dropped := p.Openat(stub.Num(unix.AT_FDCWD), "/", 0, 0).MayFail(unix.ENOENT)
	p.Check(func() error { t.Error("a dropped check is called"); return nil })
	if !p.Failed() {
		t.Error("Failed returns false")
	}
	err := p.Do()
	var call *stub.Error
	if !errors.As(err, &call) || call.Index != 1 || call.Label != "here" {
		t.Errorf("error %v", err)
	}
	if !errors.Is(dropped.Err(), unix.ECANCELED) || len(rec.Lines) != 2 {
		t.Errorf("%v, calls %q", dropped.Err(), rec.Lines)
	}
	p.CloseFd(dropped)
	p.Umask(0)
	do(t, p)
	if len(rec.Lines) != 3 {
		t.Errorf("calls %q", rec.Lines)
	}
}

func TestAtomicGroup(t *testing.T) {
	p, rec := stub.Record(nil)
	p.Getpid()
	p.Atomic()
	if len(rec.Lines) != 1 {
		t.Errorf("before the group: %q", rec.Lines)
	}
	for range 601 {
		p.Getpid()
	}
	if err := p.Do(); !errors.Is(err, unix.E2BIG) || len(rec.Lines) != 1 {
		t.Errorf("error %v, %d calls", err, len(rec.Lines))
	}
}

func TestArgumentsLargerThanTheRegion(t *testing.T) {
	p, _ := stub.Record(nil)
	p.Label("process.user.additionalGids")
	p.Setgroups(make([]uint32, 100000))
	if err := p.Do(); !errors.Is(err, unix.E2BIG) || !strings.HasPrefix(err.Error(), "process.user.additionalGids: setgroups: ") {
		t.Errorf("error %v", err)
	}
}

// The memory of a batch is used again: the error of a call must not have the arguments of
// a later one.
func TestUnreadErrorHasItsOwnArguments(t *testing.T) {
	p, rec := stub.Record(nil)
	failing(rec, map[string]unix.Errno{"mkdirat": unix.EROFS})
	p.Mkdirat(stub.Num(unix.AT_FDCWD), "first", 0o700).Checked()
	p.Atomic() // sends the batch
	p.Mkdirat(stub.Num(unix.AT_FDCWD), "second", 0o700).Checked()
	var failed *stub.Error
	if err := p.Do(); !errors.As(err, &failed) {
		t.Fatalf("error %v", err)
	}
	if !strings.Contains(failed.Args, `"first"`) {
		t.Errorf("arguments %s", failed.Args)
	}
}

// The handle of a running program has a Proc that is closed.
func TestClosedProcKeepsNoCalls(t *testing.T) {
	p, _ := stub.Record(nil)
	var sent, queued weak.Pointer[[512]byte]
	func() {
		first, second := new([512]byte), new([512]byte)
		p.Read(stub.Num(0), first[:])
		do(t, p)
		p.Read(stub.Num(0), second[:])
		sent, queued = weak.Make(first), weak.Make(second)
	}()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	if sent.Value() != nil || queued.Value() != nil {
		t.Errorf("still in memory: the buffer of a call that was sent: %t, of one that was not: %t", sent.Value() != nil, queued.Value() != nil)
	}
	runtime.KeepAlive(p)
}
