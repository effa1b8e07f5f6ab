package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/config"
)

// mapOwners makes a mount ID-mapped. The kernel requires a detached mount, and
// privileges over the file system, which a stub in a user namespace lacks; so
// the runtime makes the call.
func (s *stagedMount) mapOwners(t *Tree, made mounts.Detached) error {
	if s.IDMap == nil {
		return nil
	}
	if err := t.p.Do(); err != nil {
		return err
	}
	ns, err := t.userNamespace(s.IDMap)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: idmap: %w (mapping the owners of a file system needs CAP_SYS_ADMIN over it, which an unprivileged user lacks)", s, err)
	}
	if err != nil {
		return fmt.Errorf("%s: idmap: %w", s, err)
	}
	mount, err := t.child.Fetch(made.FD)
	if err != nil {
		return fmt.Errorf("%s: idmap: %w", s, err)
	}
	defer mount.Close()
	err = idmap.MapMount(mount, ns, s.IDMap.Recursive)
	if errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%s: idmap: file system %s does not support ID-mapped mounts: %w", s, filesystemOf(mount), err)
	}
	if err != nil {
		return fmt.Errorf("%s: idmap: %w", s, err)
	}
	return nil
}

// userNamespace returns a user namespace with the mapping: the container's, or a new
// one.
func (t *Tree) userNamespace(m *config.IDMap) (*os.File, error) {
	maps := idmap.Maps{UIDs: m.UIDs, GIDs: m.GIDs}
	key := maps.String()
	if ns := t.owners[key]; ns != nil {
		return ns, nil
	}
	var ns *os.File
	var err error
	if len(m.UIDs) == 0 {
		ns, err = idmap.OpenNamespace(t.child.Pid)
	} else {
		ns, err = maps.Namespace()
	}
	if err != nil {
		return nil, err
	}
	if t.owners == nil {
		t.owners = map[string]*os.File{}
	}
	t.owners[key] = ns
	return ns, nil
}

// filesystemOf returns the type of a file's file system for an error, from the
// first mount of the same device.
func filesystemOf(f *os.File) string {
	var st unix.Stat_t
	list, err := mountinfo.Read()
	if err != nil || unix.Fstat(int(f.Fd()), &st) != nil {
		return "unknown"
	}
	device := fmt.Sprintf("%d:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)))
	for _, m := range list {
		if m.Device == device {
			return m.Type
		}
	}
	return "of device " + device
}
