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

// mapOwners maps the owners of a mount that is detached still: the kernel does
// not take others. This process does it, as it takes the privilege over the
// file system, which a stub in a user namespace does not have.
func (s *stagedMount) mapOwners(t *Tree, made mounts.Detached) error {
	if s.IDMap == nil {
		return nil
	}
	if err := t.p.Do(); err != nil {
		return err
	}
	ns, err := t.ownersOf(s.IDMap)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%s: idmap: %w (to map the owners of a file system takes CAP_SYS_ADMIN over it: no unprivileged user can)", s, err)
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
		return fmt.Errorf("%s: idmap: the file system, %s, cannot map owners: %w", s, filesystemOf(mount), err)
	}
	if err != nil {
		return fmt.Errorf("%s: idmap: %w", s, err)
	}
	return nil
}

// ownersOf gives the user namespace that has a mapping: the container's own,
// or one made for it.
func (t *Tree) ownersOf(m *config.IDMap) (*os.File, error) {
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

// filesystemOf names the file system of a file, for an error: by mountinfo,
// where the first mount of the same device tells.
func filesystemOf(f *os.File) string {
	var st unix.Stat_t
	list, err := mountinfo.Read()
	if err != nil || unix.Fstat(int(f.Fd()), &st) != nil {
		return "unknown"
	}
	device := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	for _, m := range list {
		if m.Device == device {
			return m.Type
		}
	}
	return "of device " + device
}
