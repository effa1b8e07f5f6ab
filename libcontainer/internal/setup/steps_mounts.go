package setup

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// startMountStub starts the mount stub.
func startMountStub(r *run) error {
	init, err := r.state.OpenProcess()
	if err != nil {
		return err
	}
	defer init.Close()
	return r.startChild(stub.Options{Files: []*os.File{nil, nil, nil, init}, Dir: r.dir, Log: r.log})
}

// The steps of "mounts add" and "mounts remove".

// prepareMounts clones the bind mounts' sources while the stub sees the host.
func prepareMounts(r *run) (err error) {
	r.mounts, err = rootfs.Additions(r.stub, r.cfg.Mounts)
	return err
}

// prepareLockedMounts clones the sources in another stub, whose copy of the host's
// mounts belongs to the container's user namespace. The kernel locks their flags, such
// as read-only (mount_namespaces(7)); in a direct clone of the host's mount the
// container's root could clear them.
func prepareLockedMounts(r *run) error {
	init, err := r.state.OpenProcess()
	if err != nil {
		return err
	}
	defer init.Close()
	maker, err := stub.Start(r.ctx, stub.Options{Files: []*os.File{nil, nil, nil, init}, Dir: r.dir, Log: r.log})
	if err != nil {
		return err
	}
	unwatch := maker.EndWith(r.ctx)
	first := stub.Num(3)
	maker.Setns(first, unix.CLONE_NEWUSER)
	maker.CloseFd(first)
	maker.Unshare(unix.CLONE_NEWNS)
	r.mounts, err = rootfs.LockedAdditions(maker, r.child, r.cfg.Mounts)
	unwatch() //nolint:errcheck // the connection is not used any more
	return errors.Join(err, maker.End())
}

// attachMounts attaches the prepared mounts and makes the others.
func attachMounts(r *run) error {
	r.tree = rootfs.Enter(r.child)
	return r.tree.Run(r.mounts)
}

// undoMounts detaches the attached mounts with a new stub: the first may be dead.
func undoMounts(r *run) error {
	if r.tree == nil {
		return nil
	}
	added := r.tree.Added()
	if len(added) == 0 {
		return nil
	}
	j := *r.job
	j.op, j.ctx, j.added = inRemoveMounts, context.WithoutCancel(r.ctx), added
	sub := newRun(r.table, j, values{state: r.state})
	err := sub.walk()
	sub.release()
	if errors.Is(err, state.ErrNotRunning) { // the mounts ended with the container
		return nil
	}
	if err != nil {
		return err
	}
	return sub.child.End()
}

// detachAdded detaches mounts by their IDs.
func detachAdded(r *run) error {
	r.tree = rootfs.Enter(r.child)
	return r.tree.Detach(r.added)
}

// detachMounts detaches mounts by their destinations.
func detachMounts(r *run) error {
	r.tree = rootfs.Enter(r.child)
	for i := range r.cfg.Mounts {
		m := &r.cfg.Mounts[i]
		if m.Destination == "/" {
			return config.FieldErrorf(m.Field, `"/" cannot be removed: it is the container's root`)
		}
		r.tree.RemoveMount(m.Destination)
		err := r.flush()
		if errors.Is(err, unix.EINVAL) {
			err = fmt.Errorf("%w (nothing is mounted there)", err)
		}
		if err != nil {
			return &config.FieldError{Field: m.Field, Err: err}
		}
	}
	return nil
}
