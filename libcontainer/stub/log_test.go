package stub

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// lines is a handler that keeps messages with their attributes.
type lines struct {
	sync.Mutex
	list []string
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.Lock()
	defer l.Unlock()
	msg := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "took" {
			msg += " " + a.Key + "=" + a.Value.String()
		}
		return true
	})
	l.list = append(l.list, msg)
	return nil
}

func (l *lines) all() []string {
	l.Lock()
	defer l.Unlock()
	return slices.Clone(l.list)
}

func TestLog(t *testing.T) {
	log := &lines{}
	p, rec := Record(slog.New(log))
	rec.Answer = func(call, _ string) (int64, bool) { return -int64(unix.ENOENT), call == "openat2" }
	p.Step("mount file systems")
	root := p.Openat(Num(unix.AT_FDCWD), "/srv", unix.O_PATH|unix.O_CLOEXEC, 0)
	p.Label("mounts[0]")
	p.CloseFd(p.OpenInRoot(root, "/proc", unix.O_PATH).MayFail(unix.ENOENT))
	m := p.Fsmount(p.Fsopen("tmpfs"), unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID)
	p.MountSetattr(m, unix.AT_RECURSIVE, unix.MOUNT_ATTR_NODEV, unix.MOUNT_ATTR__ATIME, unix.MS_SLAVE)
	if err := p.Do(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`#0 openat(AT_FDCWD, "/srv", O_PATH|O_CLOEXEC, 0) step=mount file systems`,
		`#1 openat2(#0, "/proc", {flags=O_PATH|O_CLOEXEC, resolve=RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS}, 24) step=mount file systems for=mounts[0]`,
		`#2 close(#1) step=mount file systems for=mounts[0]`,
		`#3 fsopen("tmpfs", FSOPEN_CLOEXEC) step=mount file systems for=mounts[0]`,
		`#4 fsmount(#3, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID) step=mount file systems for=mounts[0]`,
		`#5 mount_setattr(#4, "", AT_EMPTY_PATH|AT_RECURSIVE, {set=MOUNT_ATTR_NODEV, clr=MOUNT_ATTR__ATIME, propagation=MS_SLAVE}, 32) step=mount file systems for=mounts[0]`,
		`6 of 6 calls returned`,
		`#0 openat = 10 step=mount file systems`,
		`#1 openat2 = -1 ENOENT (no such file or directory) step=mount file systems for=mounts[0]`,
		// and no record of the close(2) of what was not opened
		`#3 fsopen = 11 step=mount file systems for=mounts[0]`,
		`#4 fsmount = 12 step=mount file systems for=mounts[0]`,
	}
	if got := log.all(); !slices.Equal(got, want) {
		t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// hanging is a driver; its stub stays in the second call.
type hanging struct {
	Recorder
	logged func() []string
	t      *testing.T
}

func (h *hanging) exchange(p *Proc) error {
	p.mem.atomicRet(0).Store(0)
	end := time.Now().Add(time.Minute)
	for !slices.ContainsFunc(h.logged(), func(s string) bool { return strings.Contains(s, "has not returned yet") }) {
		if time.Now().After(end) {
			h.t.Error("the log does not name the call")
			break
		}
		time.Sleep(time.Millisecond)
	}
	p.mem.atomicRet(1).Store(0)
	return nil
}

func TestLogOfAHang(t *testing.T) {
	log := &lines{}
	h := &hanging{logged: log.all, t: t}
	p := newProc(h, make(region, MinRegion), slog.New(log))
	p.Chdir("/")
	p.Chdir("/srv/nfs")
	if err := p.Do(); err != nil {
		t.Fatal(err)
	}
	if got := log.all(); got[2] != `#1 chdir("/srv/nfs") has not returned yet` {
		t.Errorf("logged %q", got)
	}
}

func TestNoLogCostsNothing(t *testing.T) {
	var b bytes.Buffer
	for _, log := range []*slog.Logger{nil, slog.New(slog.NewTextHandler(&b, nil))} { // the second takes no debug records
		p, _ := Record(log)
		p.Chdir("/")
		if n := testing.AllocsPerRun(100, func() {
			p.logSent()()
			p.logResult(&p.ops[0], 1)
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
	if b.Len() > 0 {
		t.Errorf("logged %q", b.String())
	}
}

func TestSymbols(t *testing.T) {
	for _, c := range []struct {
		m    *meaning
		n    uint64
		want string
	}{
		{&openFlags, 0, "O_RDONLY"},
		{&openFlags, unix.O_TMPFILE | unix.O_RDWR, "O_TMPFILE|O_RDWR"},
		{&openFlags, unix.O_DIRECTORY, "O_DIRECTORY"},
		{&mountFlags, unix.MS_REC | unix.MS_PRIVATE, "MS_REC|MS_PRIVATE"},
		{&mountFlags, 1 << 40, "0x10000000000"},
		{&mountAttrs, 0, "0"},
		{&mountAttrs, unix.MOUNT_ATTR_NOATIME, "MOUNT_ATTR_NOATIME"},
		{&cloneFlags, unix.CLONE_NEWNS | unix.CLONE_NEWTIME, "CLONE_NEWNS|CLONE_NEWTIME"},
		{&socketTypes, unix.SOCK_RAW | unix.SOCK_CLOEXEC, "SOCK_RAW|SOCK_CLOEXEC"},
		{&prctlOptions, unix.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"},
		{&prctlOptions, 9999, "9999"},
		{&fileMode, 0o755, "0755"},
	} {
		if got := c.m.show(c.n); got != c.want {
			t.Errorf("%#x is shown as %s, not %s", c.n, got, c.want)
		}
	}
}
