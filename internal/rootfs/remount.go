package rootfs

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// remountOp changes the mount at a destination.
type remountOp struct {
	mountOp
}

func (r *remountOp) String() string { return fmt.Sprintf("%s: remount %q", r.Field, r.Destination) }

func (r *remountOp) Apply(t *Tree) {
	at := t.root
	if r.Destination != "/" {
		at = t.open(r.Destination, 0)
	}
	d := mounts.Remount(t.p, r.Mount, at)
	r.fs, r.made = d.FS, at
	if d.FS != nil {
		t.p.CloseFd(d.FS)
	}
	if r.Destination != "/" {
		t.p.CloseFd(at)
	}
}

// makePath returns an error: a remount needs an existing mount.
func (r *remountOp) makePath(*Tree) error { return errNoMount }

var errNoMount = errors.New("nothing is mounted there")

func (r *remountOp) explain(t *Tree, err error) error {
	var call *stub.Error
	if errors.As(err, &call) && call.Errno == unix.EINVAL && (call.Call == "mount_setattr" || call.Call == "fspick") {
		return fmt.Errorf("%w: %w", err, errNoMount)
	}
	return r.mountOp.explain(t, err)
}

// fallback returns nil: mount(2) would reset flags that config.json does not
// name.
func (r *remountOp) fallback(error) Op { return nil }
