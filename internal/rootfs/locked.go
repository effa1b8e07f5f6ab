package rootfs

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// lockable are the mount flags of the host that a user namespace may not clear
// (mount_namespaces(7)).
var lockable = [...]struct {
	attr uint64
	flag uint64 // of statfs(2)
	name string
	// option is the mount option that clears the flag.
	option string
}{
	{unix.MOUNT_ATTR_RDONLY, unix.ST_RDONLY, "ro", "rw"},
	{unix.MOUNT_ATTR_NOSUID, unix.ST_NOSUID, "nosuid", "suid"},
	{unix.MOUNT_ATTR_NODEV, unix.ST_NODEV, "nodev", "dev"},
	{unix.MOUNT_ATTR_NOEXEC, unix.ST_NOEXEC, "noexec", "exec"},
	{unix.MOUNT_ATTR__ATIME, unix.ST_NOATIME, "noatime", "relatime"},
	{unix.MOUNT_ATTR_NODIRATIME, unix.ST_NODIRATIME, "nodiratime", "diratime"},
}

// explainLocked adds the locked flags that the mount m.made would have cleared.
func (m *mountOp) explainLocked(p *stub.Proc, err error) error {
	var call *stub.Error
	cleared := m.Attr.Clear | m.RecAttr.Clear
	if !errors.As(err, &call) || call.Call != "mount_setattr" || call.Errno != unix.EPERM || cleared == 0 || m.made == nil {
		return err
	}
	st, v := p.Fstatfs(m.made)
	if p.Do() != nil || v.Err() != nil {
		return err
	}
	var names, options []string
	for _, row := range lockable {
		if cleared&row.attr == 0 || st.Flags()&row.flag == 0 {
			continue
		}
		option := row.option
		if m.Attr.Clear&row.attr == 0 {
			option = "r" + option
		}
		names, options = append(names, row.name), append(options, config.Quote(option))
	}
	if len(names) == 0 { // locked on a submount
		return fmt.Errorf("%w: the host's flags of a mount below it are locked in a user namespace", err)
	}
	return fmt.Errorf("%w: it is mounted %s on the host, and these flags are locked in a user namespace: leave %s out", err,
		strings.Join(names, ","), strings.Join(options, ", "))
}
