package libcontainer

import (
	"context"
	"errors"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/checkpoint"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// dump is a dump in progress.
type dump struct {
	*Container
	o    *CheckpointOptions
	lock *state.Lock // of the container
	criu string      // its path
	// froze is set if CRIU freezes the processes, which were not paused.
	froze bool
	// isolated is set when CRIU isolates the network, infected while it may have its code
	// in the processes.
	isolated, infected bool
	// gone is set when another command has deleted the container while it was not locked.
	gone bool
	conn *criu.Conn // the last connection
}

// run lets CRIU save the container.
func (d *dump) run(ctx context.Context) error {
	cfg, err := d.Config()
	if err != nil {
		return err
	}
	if d.criu, err = criu.Find(ctx, d.o.Criu, d.dir); err != nil {
		return err
	}
	s, err := d.o.criu().Open(cfg, false)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := d.describe(s, cfg); err != nil {
		return err
	}
	kind := criu.Dump
	if d.o.PreDump {
		kind, d.infected = criu.PreDump, true // which has no stage before
	}
	err = s.Explain(d.request(ctx, kind, s, d.reached))
	if e := d.lockAgain(); e != nil || d.gone {
		return errors.Join(err, e)
	}
	var failed *criu.Error
	if errors.As(err, &failed) && failed.Ended != nil {
		err = setup.AlsoFailed(err, d.repair(ctx, s))
	}
	return err
}

// describe completes the options of a dump with the container's process, mounts and
// descriptors, and writes the descriptors to the image.
func (d *dump) describe(s *checkpoint.Session, cfg *config.Config) (err error) {
	o, init := d.o, d.state.Pid
	s.Pid, s.Root, s.ParentImage = init, d.state.Rootfs, o.ParentDir
	s.LeaveRunning, s.TrackMem = o.LeaveRunning, o.PreDump || o.ParentDir != ""
	s.TCPSkipInFlight, s.LinkRemap = o.TCPSkipInFlight, o.LinkRemap
	s.Status = o.Status
	if s.NetworkLock, err = o.networkLock(); err != nil {
		return err
	}
	if o.PageServer != nil {
		s.PageServer = &criu.PageServer{Address: o.PageServer.Address, Port: o.PageServer.Port}
	}
	s.FreezeCgroup = d.freezeCgroup()
	if s.Hierarchies, err = checkpoint.Hierarchies(init, d.state.Cgroups); err != nil {
		return err
	}
	if len(s.Hierarchies) == 0 {
		s.Cgroups = criu.CgroupsIgnore
	}
	if err := checkpoint.CheckConfig(cfg); err != nil {
		return err
	}
	if s.ExternalMounts, err = checkpoint.Mounts(init, cfg); err != nil {
		return err
	}
	joined, err := checkpoint.Namespaces(init, cfg)
	if err != nil {
		return err
	}
	files, err := checkpoint.StdioOf(init)
	if err != nil {
		return err
	}
	s.External = append(files.External(), joined...)
	if o.PreDump {
		return nil
	}
	return files.Write(s.Images)
}

// request starts CRIU, which performs a request. It has a session of its own: a terminal
// must not interrupt it.
func (d *dump) request(ctx context.Context, kind criu.Kind, s *checkpoint.Session, reached func(context.Context, string) error) error {
	conn, err := criu.NewConn()
	if err != nil {
		return err
	}
	defer conn.Close()
	child, err := stub.Start(ctx, stub.Options{Files: conn.Files(), Dir: d.dir, Log: d.log})
	if err != nil {
		return err
	}
	child.Step("execute CRIU")
	child.Setsid()
	if err := conn.Execute(child, d.criu); err != nil {
		return errors.Join(err, child.End())
	}
	d.conn = conn
	_, err = conn.Do(kind, &s.Options, func(n criu.Notification) error {
		if n.File != nil {
			n.File.Close()
		}
		return reached(ctx, n.Script)
	})
	return errors.Join(err, conn.Finish(), child.End())
}

// reached is called at each stage of the dump.
func (d *dump) reached(ctx context.Context, stage string) error {
	switch stage {
	case "network-lock":
		d.isolated = true
	case "query-ext-files":
		d.infected = true
	case "status-ready":
		d.infected = false
		d.serve(ctx)
	}
	return ctx.Err()
}

// serve unlocks the container while CRIU waits for another host that requests the memory.
func (d *dump) serve(ctx context.Context) {
	d.lock.Unlock()
	d.conn.Serve(ctx)
}

// lockAgain locks the container after serve.
func (d *dump) lockAgain() error {
	if d.conn == nil || !d.conn.Serves() {
		return nil
	}
	l, err := state.LockDir(d.dir, changeLock)
	if errors.Is(err, ErrNotExist) {
		d.gone = true
		return nil
	}
	if err != nil {
		return err
	}
	d.lock = l
	now, err := state.Read(d.dir)
	// Another container may have its ID now.
	d.gone = err == nil && (now.Pid != d.state.Pid || now.StartTime != d.state.StartTime)
	return err
}

// errInfected is a part of the error of a CRIU that was killed.
var errInfected = errors.New("CRIU had its code in the processes, which may be damaged: check them, or kill the container")

// errUndone refuses a stage, upon which CRIU undoes its work.
var errUndone = errors.New("only to undo the work of another CRIU")

// repair undoes the work of a CRIU that was killed, and returns an error that says what
// cannot be undone.
func (d *dump) repair(ctx context.Context, s *checkpoint.Session) error {
	var thawed, undone, infected error
	if d.froze {
		thawed = d.thaw()
	}
	if d.isolated {
		undone = d.undo(ctx, s)
	}
	if d.infected {
		infected = errInfected
	}
	init, err := state.ReadProcess(d.state.Pid)
	if err != nil || init.Exiting || init.State == 'X' {
		return errors.Join(err, errors.New("the container has ended"))
	}
	return errors.Join(thawed, undone, infected)
}

// undo removes the rules that isolate the network of the container: a CRIU that is refused
// the stage before it makes them removes those of another one.
func (d *dump) undo(ctx context.Context, s *checkpoint.Session) error {
	s = s.Undo()
	err := d.request(context.WithoutCancel(ctx), criu.Dump, s, func(_ context.Context, stage string) error {
		if stage == "network-lock" {
			return errUndone
		}
		return nil
	})
	if errors.Is(err, errUndone) {
		return nil
	}
	return errors.Join(errors.New("the network of the container is still isolated"), s.Explain(err))
}

// thaw thaws the processes that CRIU froze before it was killed.
func (c *Container) thaw() error {
	if c.freezeCgroup() == "" {
		return nil
	}
	return c.cgroupError(c.cgroup().Freeze(false))
}

// freezeCgroup returns the cgroup that CRIU freezes; empty if it has to stop each process.
func (c *Container) freezeCgroup() string {
	if dir, ok := c.state.Cgroups["freezer"]; ok {
		return dir
	}
	return c.state.Cgroups[""]
}
