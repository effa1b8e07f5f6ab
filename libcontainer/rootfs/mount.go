package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/mounts"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// mountOp is one of config.json's mounts.
type mountOp struct {
	*config.Mount
	// fs is the context of the mount made last.
	fs *stub.Value
}

func (m *mountOp) String() string {
	kind := m.Type
	if m.Bind {
		kind = "bind"
		if m.Recursive {
			kind = "rbind"
		}
	}
	return fmt.Sprintf("%s: mount %s %q on %q", m.Field, kind, m.Source, m.Destination)
}

func (m *mountOp) Apply(t *Tree) {
	target := t.target(m.Destination, m.wantsDir(), m.resolve())
	m.attach(t, m.Mount, target)
	t.p.CloseFd(target)
}

// resolve forbids symbolic links on the way to /proc and /sys: a link there
// would have what berth itself writes to procfs go elsewhere
// (CVE-2019-19921, CVE-2023-27561).
func (m *mountOp) resolve() uint64 {
	if m.Type == "proc" || m.Type == "sysfs" {
		return unix.RESOLVE_NO_SYMLINKS
	}
	return 0
}

// attach queues the making of a mount and its attachment.
func (m *mountOp) attach(t *Tree, mount *config.Mount, target *stub.Value) {
	made := mounts.Make(t.p, mount)
	m.fs = made.FS
	t.p.MoveMount(made.FD, target)
	if made.FS != nil {
		t.p.CloseFd(made.FS)
	}
	t.p.CloseFd(made.FD)
}

// explain adds to the failure of a call what the kernel has logged about it in
// the context of the mount, such as "Unknown parameter".
func (m *mountOp) explain(t *Tree, err error) error {
	var call *stub.Error
	if m.fs == nil || !errors.As(err, &call) || (call.Call != "fsconfig" && call.Call != "fsmount") {
		return err
	}
	line := make([]byte, 256)
	n := t.p.Read(m.fs, line).MayFail()
	if t.p.Do() != nil || n.Err() != nil || n.Int() < 2 || n.Int() > len(line) {
		return err
	}
	// A message begins with its class, "e ", "w " or "i ".
	return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(line[2:n.Int()])))
}

// wantsDir tells whether the mount point is to be a directory: unless a file
// is bound on it. The source is looked up on the host, where the runtime and
// the stub see the same.
func (m *mountOp) wantsDir() bool {
	if !m.Bind {
		return true
	}
	st, err := os.Stat(m.Source)
	return err != nil || st.IsDir()
}

func (m *mountOp) way(t *Tree) error {
	if err := t.mkdirAll(path.Dir(m.Destination), 0); err != nil {
		return err
	}
	return t.makeOne(m.Destination, m.wantsDir(), 0)
}
