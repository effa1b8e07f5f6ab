package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/rootfs"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// AddMounts mounts file systems in a container that runs, or is created, in
// order. When one fails, those before it are taken out again.
func (c *Container) AddMounts(ctx context.Context, list []config.Mount) error {
	return opError("add mounts to", c.ID(), "", c.changeMounts(ctx, inAddMounts, list))
}

// RemoveMounts takes mounts out of a container, in order, by their
// Destination. What still uses one keeps it.
func (c *Container) RemoveMounts(ctx context.Context, list []config.Mount) error {
	return opError("remove mounts from", c.ID(), "", c.changeMounts(ctx, inRemoveMounts, list))
}

func (c *Container) changeMounts(ctx context.Context, verb verbs, list []config.Mount) error {
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case status == Stopped || status == Creating:
		return stateError(fmt.Sprintf("cannot change the mounts of a %s container", status))
	}
	own, err := c.Config()
	if err != nil {
		return err
	}
	cfg := *own
	cfg.Mounts = list
	r := &run{
		table: steps[:], ctx: ctx, verb: verb, cfg: &cfg, c: c, launch: new(Launch), log: c.log,
		unprivileged: os.Geteuid() != 0,
	}
	err = r.walk()
	r.release()
	if err != nil {
		return c.endedMeanwhile(err)
	}
	return errors.Join(r.child.Close(), r.child.Reap(), r.child.Release())
}

// takeMounts has what is bound of the host made, to be taken along.
func takeMounts(r *run) (err error) {
	if hasUserNamespace(r.cfg) {
		return r.takeLocked()
	}
	r.mounts, err = rootfs.Additions(r.p, r.cfg.Mounts)
	return err
}

// takeLocked has it made by a third stub, in a copy of the host's mounts that
// the container's user namespace owns: what makes them read-only there is locked
// (mount_namespaces(7)), and stays so in the container. Of a clone of the host's
// own mount its root could change that.
func (r *run) takeLocked() error {
	if err := r.flush(); err != nil {
		return err
	}
	init, err := r.c.state.openProcess()
	if err != nil {
		return err
	}
	defer init.Close()
	maker, err := stub.Start(r.ctx, stub.Options{Files: []*os.File{nil, nil, nil, init}, Dir: r.c.dir, Log: r.log})
	if err != nil {
		return err
	}
	unwatch := maker.EndWith(r.ctx)
	first := stub.Num(3)
	maker.Setns(first, unix.CLONE_NEWUSER)
	maker.CloseFd(first)
	maker.Unshare(unix.CLONE_NEWNS)
	r.mounts, err = rootfs.LockedAdditions(maker, r.child, r.cfg.Mounts)
	unwatch()
	return errors.Join(err, maker.End())
}

// attachMounts mounts what was taken along, and the others.
func attachMounts(r *run) error {
	r.tree = rootfs.Enter(r.child)
	return r.tree.Run(r.mounts)
}

// undoMounts detaches what attachMounts has attached, by a new stub: its own may
// have been killed.
func undoMounts(r *run) error {
	if r.tree == nil {
		return nil
	}
	ids := r.tree.Added()
	if len(ids) == 0 {
		return nil
	}
	cfg := *r.cfg
	cfg.Mounts = nil
	sub := &run{
		table: r.table, ctx: context.WithoutCancel(r.ctx), verb: inRemoveMounts, cfg: &cfg, c: r.c, launch: new(Launch), log: r.log,
		unprivileged: r.unprivileged, detach: ids,
	}
	err := sub.walk()
	sub.release()
	if errors.Is(err, ErrNotRunning) { // the mounts have gone with it
		return nil
	}
	if err != nil {
		return err
	}
	return sub.child.End()
}

func detachMounts(r *run) error {
	r.tree = rootfs.Enter(r.child)
	if r.detach != nil {
		return r.tree.Detach(r.detach)
	}
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
