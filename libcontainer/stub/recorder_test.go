package stub_test

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

func TestRecorder(t *testing.T) {
	p, rec := stub.Record(nil)
	rec.Answer = func(call, _ string) (int64, bool) { return -int64(unix.EPERM), call == "fsmount" }
	fs := p.Fsopen("tmpfs")
	p.FsconfigString(fs, "size", "64k")
	p.Label("mounts[0]")
	m := p.Fsmount(fs, 0)
	p.CloseFd(m)
	err := p.Do()
	if !errors.Is(err, unix.EPERM) {
		t.Errorf("error is %v", err)
	}
	want := []string{
		`fsopen("tmpfs", 0x1) = 10`,
		`fsconfig(10, 1, "size", "64k", 0) = 0`,
		`fsmount(10, 0x1, 0) = -1 EPERM (operation not permitted)  # mounts[0]`,
	}
	if !slices.Equal(rec.Lines, want) {
		t.Errorf("recorded %q", rec.Lines)
	}
}

func TestErrorOfAnOldKernel(t *testing.T) {
	p, rec := stub.Record(nil)
	rec.Answer = func(string, string) (int64, bool) { return -int64(unix.ENOSYS), true }
	p.Label("mounts[0]")
	p.MountSetattr(stub.Num(5), 0, unix.MOUNT_ATTR_RDONLY, 0, 0)
	const want = "mounts[0]: mount_setattr: function not implemented (ENOSYS)"
	if err := p.Do(); !errors.Is(err, unix.ENOSYS) || err.Error() != want {
		t.Errorf("got %v", err)
	}
	p.Label("")
	p.Getpid()
	if err := p.Do(); err == nil || err.Error() != "getpid: function not implemented (ENOSYS)" {
		t.Errorf("got %v", err)
	}
}
