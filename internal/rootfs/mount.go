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

// mountOp is one of config.json's mounts.
type mountOp struct {
	*config.Mount
	// What was queued last: the context of the mount, the mount, and the
	// place that it is to have.
	fs, made, at *stub.Value
	// source is a descriptor of the source, if it had to be passed.
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

func (m *mountOp) Apply(t *Tree) {
	m.at = t.target(m.point(t))
	m.checkPlace(t)
	m.attach(t, m.make(t.p, m.Mount, m.source), m.at)
	t.p.CloseFd(m.at)
}

// make queues the making of the mount, which explain looks at if a call fails.
func (m *mountOp) make(p *stub.Proc, as *config.Mount, source *stub.Value) mounts.Detached {
	made := mounts.MakeFrom(p, as, source)
	m.fs, m.made = made.FS, made.FD
	return made
}

// point is where the mount is to be. A symbolic link at /proc or /sys, and on
// the way to where a procfs or sysfs is mounted, is an error: it would have
// what trusts these directories go elsewhere (CVE-2019-19921, CVE-2023-27561).
func (m *mountOp) point(t *Tree) point {
	at := point{path: m.Destination, mode: m.pointMode(t)}
	if m.isKernels() {
		at.resolve = unix.RESOLVE_NO_SYMLINKS
	}
	if m.DestNoFollow {
		at.flags = unix.O_NOFOLLOW
	}
	return at
}

// attach queues the attachment of a mount that was made.
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
	if m.isKernels() {
		t.hold(m.Destination, d.FD)
		return
	}
	t.p.CloseFd(d.FD)
}

// isKernels reports whether the mount shows what the kernel has to be hidden
// of.
func (m *mountOp) isKernels() bool {
	return m.Type == "proc" || m.Type == "sysfs" || m.Destination == "/proc" || m.Destination == "/sys"
}

// pointMode returns the mode of a mount point that is made: of a directory,
// unless a file is bound on it.
func (m *mountOp) pointMode(t *Tree) uint32 {
	switch {
	case m.inheritsMode():
		return newShared
	case m.Bind && t.isFile(m.Mount):
		return newFile
	}
	return newDir
}

func (m *mountOp) way(t *Tree) error {
	if err := t.mkdirAll(path.Dir(m.Destination), 0); err != nil {
		return err
	}
	return t.makeOne(m.Destination, m.pointMode(t), 0)
}

// explain adds to the failure of a call what can be found out about it.
func (m *mountOp) explain(t *Tree, err error) error {
	var call *stub.Error
	if !errors.As(err, &call) {
		return err
	}
	switch {
	case call.Call == "openat2" && call.Errno == unix.ELOOP && m.point(t).resolve != 0:
		return fmt.Errorf("%w: there is a symbolic link on the way to %q in the root file system: it must be a directory", err, m.Destination)
	case call.Call == "open_tree" && call.Errno == unix.ENOENT:
		return fmt.Errorf("%w: there is no %q on the host", err, m.Source)
	case call.Call == "open_tree" && call.Errno == unix.EACCES:
		return m.explainSource(t, err)
	case call.Call == "mount_setattr" && m.Bind:
		return m.explainLocked(t.p, err)
	case call.Call == "move_mount" && (call.Errno == unix.EINVAL || call.Errno == unix.ENOTDIR):
		return m.explainKinds(t, err)
	case call.Call == "fsopen" && call.Errno == unix.ENODEV:
		return fmt.Errorf("%w: the kernel has no file system %q (see /proc/filesystems; a bind mount has \"bind\" among its options)", err, m.Type)
	case call.Errno == unix.EPERM && strings.HasPrefix(call.Call, "fs"):
		return m.explainDenied(t, err)
	case call.Call == "fsconfig" || call.Call == "fsmount":
		return m.explainContext(t, err)
	}
	return err
}

// explainContext adds what the kernel has logged in the context of the mount,
// such as "Unknown parameter".
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
	said := strings.TrimSpace(string(n.Of(line)[2:]))
	if strings.Contains(said, "Invalid gid") || strings.Contains(said, "Invalid uid") {
		said += " (it is not mapped in the user namespace)"
	}
	return fmt.Errorf("%w: %s", err, said)
}

// explainDenied says which namespace it takes to mount a file system that shows
// what is in one: the user namespace must own that (user_namespaces(7)).
func (m *mountOp) explainDenied(t *Tree, err error) error {
	switch m.Type {
	case "proc":
		return fmt.Errorf("%w (it takes a new pid namespace among linux.namespaces, and a procfs outside of which nothing is hidden by other mounts; or bind /proc)", err)
	case "sysfs":
		return fmt.Errorf("%w (it takes a new network namespace among linux.namespaces, and a sysfs outside of which nothing is hidden by other mounts; or bind /sys, as \"berth spec --rootless\" does)", err)
	case "mqueue":
		return fmt.Errorf("%w (it takes a new ipc namespace among linux.namespaces)", err)
	case "cgroup", "cgroup2":
		return fmt.Errorf("%w (it takes a new cgroup namespace among linux.namespaces)", err)
	}
	return fmt.Errorf("%w (in a user namespace the kernel mounts only file systems that are made for it, as tmpfs and overlay: have the host mount this one, and bind it)", m.explainContext(t, err))
}

// explainKinds says so when a directory was to be mounted on a file, or a file
// on a directory. Engines look for "not a directory".
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

// instead gives the same mount made by mount(2), when the newer calls do not
// take its options: some file systems have learnt them late.
func (m *mountOp) instead(err error) Op {
	var call *stub.Error
	if m.Bind || !errors.As(err, &call) || call.Call != "fsconfig" && call.Call != "fsmount" {
		return nil
	}
	switch call.Errno {
	case unix.EINVAL, unix.EOPNOTSUPP, unix.ENOSYS:
		return &stagedMount{mountOp: mountOp{Mount: m.Mount}, old: true, because: err}
	}
	return nil
}
