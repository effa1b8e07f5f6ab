package rootfs

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// mountOp is a mount of config.json.
type mountOp struct {
	*config.Mount
	// The values queued last: the file system context, the mount, and its mount
	// point.
	fs, made, at *stub.Value
	// source is a descriptor of the source, if the runtime has passed one.
	source *stub.Value
}

func (m *mountOp) String() string {
	kind := m.Type
	switch {
	case m.Bind && m.Recursive:
		kind = "rbind"
	case m.Bind:
		kind = "bind"
	}
	return fmt.Sprintf("%s: mount %s %q on %q", m.Field, kind, m.Source, m.Destination)
}

func (m *mountOp) field() string { return m.Field }

func (m *mountOp) Apply(t *Tree) {
	m.at = t.target(m.point(t))
	m.checkPlace(t)
	m.attach(t, m.make(t.p, m.Mount, m.source), m.at)
	t.p.CloseFd(m.at)
}

// make queues the calls that make the mount, and keeps their values for
// explain.
func (m *mountOp) make(p *stub.Proc, as *config.Mount, source *stub.Value) mounts.Detached {
	made := mounts.MakeFrom(p, as, source)
	m.fs, m.made = made.FS, made.FD
	return made
}

// point returns the mount point. A symbolic link at /proc or /sys, or in the
// path of a procfs or sysfs, is an error: it would redirect programs that trust
// these directories (CVE-2019-19921, CVE-2023-27561).
func (m *mountOp) point(t *Tree) point {
	at := point{path: m.Destination, mode: m.pointMode(t)}
	if m.showsKernel() {
		at.resolve = unix.RESOLVE_NO_SYMLINKS
	}
	if m.DestNoFollow {
		at.flags = unix.O_NOFOLLOW
	}
	return at
}

// attach queues the attachment of a mount.
func (m *mountOp) attach(t *Tree, d mounts.Detached, target *stub.Value) {
	m.fs, m.made = d.FS, d.FD
	m.checkProc(t)
	if t.added != nil {
		*t.added = append(*t.added, t.p.StatxMount(d.FD))
	}
	t.p.MoveMount(d.FD, target)
	if d.FS != nil {
		t.p.CloseFd(d.FS)
	}
	if m.showsKernel() {
		t.hold(m.Destination, d.FD)
		return
	}
	t.p.CloseFd(d.FD)
}

// showsKernel reports whether the mount is a procfs or sysfs, in which paths must
// be masked.
func (m *mountOp) showsKernel() bool {
	return m.Type == "proc" || m.Type == "sysfs" || m.Destination == "/proc" || m.Destination == "/sys"
}

// pointMode returns the type and mode of a missing mount point: a directory,
// unless the source is a file.
func (m *mountOp) pointMode(t *Tree) uint32 {
	switch {
	case m.inheritsMode():
		return newShared
	case m.Bind && t.isFile(m.Mount):
		return newFile
	}
	return newDir
}

func (m *mountOp) makePath(t *Tree) error {
	if err := t.mkdirAll(path.Dir(m.Destination), 0); err != nil {
		return err
	}
	return t.makeOne(m.Destination, m.pointMode(t), 0)
}

// explain adds the cause to the error of a call.
func (m *mountOp) explain(t *Tree, err error) error {
	var call *stub.Error
	if !errors.As(err, &call) {
		return err
	}
	switch {
	case call.Call == "openat2" && call.Errno == unix.ELOOP && m.point(t).resolve != 0:
		return fmt.Errorf("%w: the path %q has a symbolic link in the root file system: it must be a directory", err, m.Destination)
	case call.Call == "open_tree" && call.Errno == unix.ENOENT:
		return fmt.Errorf("%w: %q does not exist on the host", err, m.Source)
	case call.Call == "open_tree" && call.Errno == unix.EACCES:
		return m.explainSource(t, err)
	case call.Call == "mount_setattr" && m.Bind:
		return m.explainLocked(t.p, err)
	case call.Call == "move_mount" && (call.Errno == unix.EINVAL || call.Errno == unix.ENOTDIR):
		return m.explainKinds(t, err)
	case call.Call == "fsopen" && call.Errno == unix.ENODEV:
		return fmt.Errorf("%w: the kernel has no file system %q (see /proc/filesystems; a bind mount needs the option \"bind\")", err, m.Type)
	case call.Errno == unix.EPERM && strings.HasPrefix(call.Call, "fs"):
		return m.explainDenied(t, err)
	case call.Call == "fsconfig" || call.Call == "fsmount":
		return m.explainContext(t, err)
	}
	return err
}

// explainContext adds the kernel's message in the file system context, such as
// "Unknown parameter".
func (m *mountOp) explainContext(t *Tree, err error) error {
	if m.fs == nil {
		return err
	}
	line := make([]byte, 256)
	n := t.p.Read(m.fs, line)
	if t.p.Do() != nil || len(n.Of(line)) < 2 {
		return err
	}
	// A message begins with its class, "e ", "w " or "i ".
	text := strings.TrimSpace(string(n.Of(line)[2:]))
	if strings.Contains(text, "Invalid gid") || strings.Contains(text, "Invalid uid") {
		text += " (not mapped in the user namespace)"
	}
	return fmt.Errorf("%w: %s", err, text)
}

// explainDenied adds which new namespace a mount needs: the user namespace must
// own the namespace that the file system shows (user_namespaces(7)).
func (m *mountOp) explainDenied(t *Tree, err error) error {
	switch m.Type {
	case "proc":
		return fmt.Errorf("%w (needs a new pid namespace in linux.namespaces, and a procfs outside the container that is not partly hidden by other mounts; or bind /proc)", err)
	case "sysfs":
		return fmt.Errorf("%w (needs a new network namespace in linux.namespaces, and a sysfs outside the container that is not partly hidden by other mounts; or bind /sys, as \"berth spec --rootless\" does)", err)
	case "mqueue":
		return fmt.Errorf("%w (needs a new ipc namespace in linux.namespaces)", err)
	case "cgroup", "cgroup2":
		return fmt.Errorf("%w (needs a new cgroup namespace in linux.namespaces)", err)
	}
	return fmt.Errorf("%w (in a user namespace the kernel mounts only file systems that support it, such as tmpfs and overlay: mount this one on the host and bind it)", m.explainContext(t, err))
}

// explainKinds adds that one of source and destination is a directory and the
// other is not. Engines look for "not a directory".
func (m *mountOp) explainKinds(t *Tree, err error) error {
	source, v := t.p.Statx(m.made, "", unix.AT_EMPTY_PATH)
	destination, w := t.p.Statx(m.at, "", unix.AT_EMPTY_PATH)
	if t.p.Do() != nil || v.Err() != nil || w.Err() != nil {
		return err
	}
	isDir := func(st *stub.Stat) bool { return st.Mode()&unix.S_IFMT == unix.S_IFDIR }
	switch {
	case isDir(source) == isDir(destination):
		return err
	case isDir(source):
		return fmt.Errorf("%s: source %q is a directory, destination %q is %w", m, m.Source, m.Destination, unix.ENOTDIR)
	default:
		return fmt.Errorf("%s: source %q is %w, destination %q is a directory", m, m.Source, unix.ENOTDIR, m.Destination)
	}
}

// fallback returns the mount as one made by mount(2), or nil: some file systems
// support fsconfig(2) options only since later kernels.
func (m *mountOp) fallback(err error) Op {
	var call *stub.Error
	if m.Bind || !errors.As(err, &call) || call.Call != "fsconfig" && call.Call != "fsmount" {
		return nil
	}
	switch call.Errno {
	case unix.EINVAL, unix.EOPNOTSUPP, unix.ENOSYS:
		return &stagedMount{mountOp: mountOp{Mount: m.Mount}, old: true, cause: err}
	}
	return nil
}
