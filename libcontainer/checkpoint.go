package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/checkpoint"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// CriuOptions are the options that Checkpoint and Restore share. Those without a comment
// are CRIU's options of the same name (criu(8)).
type CriuOptions struct {
	// Criu is the path of CRIU, by default that of "criu" in $PATH.
	Criu string
	// ImagesDir is the directory of the image. Checkpoint makes it if necessary.
	ImagesDir string
	// WorkDir is the directory of CRIU's log, by default ImagesDir.
	WorkDir        string
	TCPEstablished bool
	TCPClose       bool
	ExtUnixSk      bool
	ShellJob       bool
	FileLocks      bool
	AutoDedup      bool
	LazyPages      bool
	// ManageCgroups is "soft", "full", "strict" or "ignore"; empty means CRIU's default.
	ManageCgroups string
	// EmptyNamespaces may have "network": an image never has the devices of a container's
	// own network namespace.
	EmptyNamespaces []string
}

// CheckpointOptions are the options of Checkpoint.
type CheckpointOptions struct {
	CriuOptions
	// ParentDir is the directory of an earlier checkpoint, relative to ImagesDir. Only
	// memory that has changed since then is saved.
	ParentDir string
	// LeaveRunning lets the container run afterwards. Otherwise Checkpoint deletes it.
	LeaveRunning bool
	// PreDump saves only memory, for a later Checkpoint with ParentDir; the container
	// keeps running.
	PreDump         bool
	TCPSkipInFlight bool
	LinkRemap       bool
	// NetworkLock is "iptables", "nftables" or "skip"; empty means CRIU's default.
	NetworkLock string
	// PageServer receives the memory, unless nil.
	PageServer *PageServer
	// Status gets a zero byte when the server for LazyPages is ready; may be nil.
	Status *os.File
}

// PageServer is the address of "criu page-server".
type PageServer struct {
	Address string
	Port    int
}

// networkLock returns the method that NetworkLock names.
func (o *CheckpointOptions) networkLock() (criu.NetworkLock, error) {
	switch o.NetworkLock {
	case "":
		return criu.LockDefault, nil
	case "iptables":
		return criu.LockIptables, nil
	case "nftables":
		return criu.LockNftables, nil
	case "skip":
		return criu.LockSkip, nil
	}
	return 0, fmt.Errorf("invalid network-lock value %q (want iptables, nftables or skip)", o.NetworkLock)
}

// Checkpoint saves the processes of a running or paused container as an image, from which
// Restore makes a container. Unless LeaveRunning or PreDump is set it then deletes the
// container. After an error the container continues, unless CRIU was killed while it had
// its own code in the processes. The end of ctx takes effect when CRIU reaches its next
// stage. The error is ErrInvalidState for a container that does not run.
func (c *Container) Checkpoint(ctx context.Context, o CheckpointOptions) error {
	return opError("checkpoint", c.ID(), c.checkpoint(ctx, &o))
}

func (c *Container) checkpoint(ctx context.Context, o *CheckpointOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	now, l, status, err := c.lockStatus(ctx)
	if err != nil {
		return err
	}
	defer l.Unlock()
	if status != Running && status != Paused {
		return stateError(fmt.Sprintf("Container cannot be checkpointed in %s state", status))
	}
	cfg, err := now.Config()
	if err != nil {
		return err
	}
	err = now.dump(ctx, o, cfg)
	var failed *criu.Error
	if errors.As(err, &failed) && failed.Ended != nil && status == Running {
		err = setup.AlsoFailed(err, now.thaw()) // CRIU freezes the processes first
	}
	if err != nil || o.LeaveRunning || o.PreDump {
		return err
	}
	defer runtime.KeepAlive(now.child()) // see delete
	hung, err := now.kill()
	if err != nil {
		return err
	}
	return now.destroy(context.WithoutCancel(ctx), true, hung)
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

func (o *CheckpointOptions) check() error {
	if _, err := o.networkLock(); err != nil {
		return err
	}
	if o.ParentDir == "" {
		return o.criu().Check()
	}
	if filepath.IsAbs(o.ParentDir) {
		return fmt.Errorf("--parent-path %q must be relative to the image", o.ParentDir)
	}
	if info, err := os.Stat(filepath.Join(o.ImagesDir, o.ParentDir)); err != nil {
		return fmt.Errorf("invalid --parent-path: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("invalid --parent-path: %q is not a directory", o.ParentDir)
	}
	return o.criu().Check()
}

func (o *CheckpointOptions) criu() *checkpoint.Options {
	return (*checkpoint.Options)(&o.CriuOptions)
}

// dump lets CRIU save the container.
func (c *Container) dump(ctx context.Context, o *CheckpointOptions, cfg *config.Config) error {
	path, err := criu.Find(ctx, o.Criu, c.dir)
	if err != nil {
		return err
	}
	s, err := o.criu().Open(cfg, false)
	if err != nil {
		return err
	}
	defer s.Close()
	kind := criu.Dump
	if o.PreDump {
		kind = criu.PreDump
	}
	if err := c.describe(s, o, cfg); err != nil {
		return err
	}
	return s.Explain(c.request(ctx, path, kind, s))
}

// describe completes the options of a dump with the container's process, mounts and
// descriptors, and writes the descriptors to the image.
func (c *Container) describe(s *checkpoint.Session, o *CheckpointOptions, cfg *config.Config) (err error) {
	s.Pid, s.Root, s.ParentImage = c.state.Pid, c.state.Rootfs, o.ParentDir
	s.LeaveRunning, s.TrackMem = o.LeaveRunning, o.PreDump || o.ParentDir != ""
	s.TCPSkipInFlight, s.LinkRemap = o.TCPSkipInFlight, o.LinkRemap
	s.Status = o.Status
	if s.NetworkLock, err = o.networkLock(); err != nil {
		return err
	}
	if o.PageServer != nil {
		s.PageServer = &criu.PageServer{Address: o.PageServer.Address, Port: o.PageServer.Port}
	}
	s.FreezeCgroup = c.freezeCgroup()
	if s.Hierarchies, err = checkpoint.Hierarchies(c.state.Pid, c.state.Cgroups); err != nil {
		return err
	}
	if len(s.Hierarchies) == 0 {
		s.Cgroups = criu.CgroupsIgnore
	}
	if err := checkpoint.CheckConfig(cfg); err != nil {
		return err
	}
	if s.ExternalMounts, err = checkpoint.Mounts(c.state.Pid, cfg); err != nil {
		return err
	}
	joined, err := checkpoint.Namespaces(c.state.Pid, cfg)
	if err != nil {
		return err
	}
	files, err := checkpoint.StdioOf(c.state.Pid)
	if err != nil {
		return err
	}
	s.External = append(files.External(), joined...)
	if o.PreDump {
		return nil
	}
	return files.Write(s.Images)
}

// request starts CRIU, which performs a request.
func (c *Container) request(ctx context.Context, path string, kind criu.Kind, s *checkpoint.Session) error {
	conn, err := criu.NewConn()
	if err != nil {
		return err
	}
	defer conn.Close()
	child, err := stub.Start(ctx, stub.Options{Files: conn.Files(), Dir: c.dir, Log: c.log})
	if err != nil {
		return err
	}
	child.Step("execute CRIU")
	if err := conn.Execute(child, path); err != nil {
		return errors.Join(err, child.End())
	}
	_, err = conn.Do(kind, &s.Options, func(n criu.Notification) error {
		if n.File != nil {
			n.File.Close()
		}
		return ctx.Err()
	})
	conn.Close()
	return errors.Join(err, child.Close(), child.Reap(), child.Release())
}
