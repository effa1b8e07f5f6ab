package setup

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/specconv"
)

// fault is an errno that the kernel returns for the first call of a name whose
// arguments, or whose preceding call, contain a text.
type fault struct {
	call, args string
	errno      unix.Errno
}

// takeWith takes the steps of an operation with a fault, and returns the step that
// failed.
func takeWith(t *testing.T, op operation, f fault) (failed string, err error) {
	t.Helper()
	spec := specconv.Default(specconv.DefaultOptions{CgroupNamespace: true})
	spec.Process.Terminal, spec.Process.Cwd = false, "/work"
	spec.Mounts = append(spec.Mounts, specs.Mount{Destination: "/data", Type: "tmpfs", Source: "tmpfs"})
	p, rec := newRecorder()
	r := recorded(t, spec, op, p)
	r.child.Pid, r.hook = os.Getpid(), hookOf(op)
	rec.Output = func(call, args string) []byte { return honest(rec, call, args) }
	usual, done := rec.Answer, false
	rec.Answer = func(call, args string) (int64, bool) {
		if !done && call == f.call && strings.Contains(rec.Lines[len(rec.Lines)-1]+args, f.args) {
			done = true
			return -int64(f.errno), true
		}
		return usual(call, args)
	}
	return takeAll(r, func(*step) {})
}

// Steps tolerate only the errnos that mean "does not exist", not those that mean
// "cannot be examined".
func TestOnlyExpectedErrnosAreTolerated(t *testing.T) {
	other := []unix.Errno{unix.EIO, unix.EMFILE, unix.EINTR, unix.ENOMEM, unix.ETIMEDOUT}
	cases := []struct {
		name       string
		op         operation
		call, args string
		tolerated  []unix.Errno
		refused    []unix.Errno
	}{
		{"session keyring of create", inCreate, "keyctl", "", []unix.Errno{unix.ENOSYS}, []unix.Errno{unix.EDQUOT, unix.EPERM, unix.EACCES, unix.ENOMEM}},
		{"session keyring of exec", inExec, "keyctl", "", []unix.Errno{unix.ENOSYS}, []unix.Errno{unix.EDQUOT, unix.EPERM, unix.EACCES, unix.ENOMEM}},
		{"session keyring of a createContainer hook", inCreateHook, "keyctl", "", []unix.Errno{unix.ENOSYS}, []unix.Errno{unix.EDQUOT, unix.EPERM}},
		{"session keyring of a startContainer hook", inStartHook, "keyctl", "", []unix.Errno{unix.ENOSYS}, []unix.Errno{unix.EDQUOT, unix.EPERM}},
		{"mount point of a tmpfs", inCreate, "openat2", `"/data", {flags=0x280000,`, []unix.Errno{unix.ENOENT}, other},
		{"mode of the mount point of a tmpfs", inCreate, "statx", `"/data", {flags=0x280000,`, nil, other},
		{"passwd", inCreate, "openat2", `"/etc/passwd"`, []unix.Errno{unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP, unix.ENXIO, unix.ENODEV, unix.EPERM, unix.EAGAIN}, other},
		{"passwd of exec", inExec, "openat2", `"/etc/passwd"`, []unix.Errno{unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP, unix.ENXIO, unix.ENODEV, unix.EPERM, unix.EAGAIN}, other},
		{"content of passwd", inCreate, "read", ", 4096", []unix.Errno{unix.EISDIR, unix.EAGAIN}, []unix.Errno{unix.EIO, unix.EINTR, unix.ENOMEM}},
		{"masked path", inCreate, "openat2", `"/acpi"`, []unix.Errno{unix.ENOENT, unix.ENOTDIR}, other},
		{"read-only path", inCreate, "openat2", `"/sysrq-trigger"`, []unix.Errno{unix.ENOENT, unix.ENOTDIR}, other},
		{"default device", inCreate, "mknodat", `"null"`, []unix.Errno{unix.EEXIST}, []unix.Errno{unix.EIO, unix.ENOSPC, unix.EDQUOT}},
		{"default link", inCreate, "symlinkat", `"fd"`, []unix.Errno{unix.EEXIST}, []unix.Errno{unix.EIO, unix.ENOSPC, unix.EROFS}},
		{"program", inCreate, "statx", `"/usr/local/sbin/sh"`, []unix.Errno{unix.ENOENT, unix.EACCES, unix.ENOTDIR}, []unix.Errno{unix.EIO, unix.ENOMEM}},
		{"working directory as root", inCreate, "chdir", `"/work"`, []unix.Errno{unix.EACCES, unix.EPERM, unix.ENOENT, unix.ENOTDIR}, []unix.Errno{unix.EIO, unix.ENOMEM, unix.ESTALE}},
		{"groups", inCreate, "setgroups", "", nil, []unix.Errno{unix.EPERM, unix.ENOMEM}},
	}
	if denied, err := idmap.GroupsDenied(os.Getpid()); err != nil || denied {
		cases = cases[:len(cases)-1] // the recorder uses this process as the stub
	}
	for _, c := range cases {
		for _, e := range c.tolerated {
			if step, err := takeWith(t, c.op, fault{c.call, c.args, e}); err != nil {
				t.Errorf("%s, %v: %s: %v", c.name, e, step, err)
			}
		}
		for _, e := range c.refused {
			if _, err := takeWith(t, c.op, fault{c.call, c.args, e}); !errors.Is(err, e) {
				t.Errorf("%s, %v: got %v", c.name, e, err)
			}
		}
	}
}

func TestErrorOfTheSessionKeyring(t *testing.T) {
	for op, step := range map[operation]string{inCreate: "make keyring", inExec: "join keyring"} {
		_, err := takeWith(t, op, fault{"keyctl", "", unix.EDQUOT})
		err = stepError(step, err)
		want := fmt.Sprintf(`%s: join session keyring: keyctl: disk quota exceeded (EDQUOT) (the keys `, step)
		if !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
}

func TestArgumentsError(t *testing.T) {
	long, many := strings.Repeat("x", 32*os.Getpagesize()), make([]string, 1000)
	cases := []struct {
		args, env []string
		want      string
	}{
		{[]string{"a", long}, nil, "process.args[1]: "},
		{[]string{"a"}, []string{"A=" + long}, "process.env[0]: "},
		{many, []string{"A=b"}, "process.args: "},
		{[]string{"a"}, many, "process.env: "},
	}
	for _, c := range cases {
		err := argumentsError(fmt.Errorf("exec: %w", unix.E2BIG), c.args, c.env)
		if !errors.Is(err, unix.E2BIG) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("want %q: %v", c.want, err)
		}
	}
	if err := argumentsError(unix.ENOENT, []string{long}, nil); !errors.Is(err, unix.ENOENT) || err.Error() != unix.ENOENT.Error() {
		t.Errorf("another error: %v", err)
	}
}
