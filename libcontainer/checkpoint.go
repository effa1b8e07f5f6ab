package libcontainer

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/libcontainer/internal/checkpoint"
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
// its own code in the processes: the error says so. The end of ctx takes effect when CRIU
// reaches its next stage; a CRIU that makes no progress is killed after a minute. With
// LazyPages the container is not locked while CRIU waits for requests for memory.
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
	d := &dump{Container: now, o: o, lock: l, froze: status == Running}
	defer func() { d.lock.Unlock() }()
	if status != Running && status != Paused {
		return stateError(fmt.Sprintf("Container cannot be checkpointed in %s state", status))
	}
	err = d.run(ctx)
	if err != nil || d.gone || o.LeaveRunning || o.PreDump {
		return err
	}
	defer runtime.KeepAlive(now.child()) // see delete
	hung, err := now.kill()
	if err != nil {
		return err
	}
	return now.destroy(context.WithoutCancel(ctx), true, hung)
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
