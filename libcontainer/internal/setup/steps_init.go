package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// openControl makes the region and the socket through which a later process drives
// the detached stub.
func openControl(r *run) (err error) {
	r.region, err = sys.OpenFile(filepath.Join(r.dir, state.RegionFile), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	r.atEnd(func() { r.region.Close() })
	if err := allocate(r.region, r.regionSize()); err != nil {
		return err
	}
	if r.listener, err = state.Listen(r.lock.Dir, state.ControlFile); err != nil {
		return err
	}
	r.atEnd(func() { r.listener.Close() })
	return nil
}

// startStub starts the container's init.
func startStub(r *run) error {
	cgroup, err := openCgroup(r.cgroup, r.unit)
	if err != nil {
		return err
	}
	defer cgroup.Close() // nil without v2
	r.child, err = stub.Start(r.ctx, stub.Options{
		Files:      append(r.Stdio[:], r.ExtraFiles...),
		Cloneflags: uintptr(r.plan.Clone),
		Cgroup:     cgroup,
		Region:     r.region,
		RegionSize: r.regionSize(),
		Listener:   r.listener,
		Dir:        r.dir,
		Log:        r.log,
	})
	if err != nil {
		return remedyNamespaces(err, r.cfg)
	}
	r.stub = r.child.Proc
	r.stub.Meanwhile(r.workOff)
	r.saved = meanwhile(r, func() (struct{}, error) { return struct{}{}, state.WriteConfig(r.dir, r.cfg) })
	r.outlive = r.followContext()
	return r.notePid(r.child.Pid)
}

func (r *run) regionSize() int {
	return stub.RegionSize(r.cfg.Process.Args, r.cfg.Process.Env, len(r.cfg.Process.AdditionalGIDs))
}

// allocate sets the size of a file and reserves its blocks: a write to a mapping
// causes SIGBUS if the file system is full.
func allocate(f *os.File, size int) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, int64(size))
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = f.Write(make([]byte, size))
	}
	if err != nil {
		return fmt.Errorf("allocate %q: %w", f.Name(), err)
	}
	return nil
}

// undoInit kills the container's init. If it does not end, delete removes the rest.
func undoInit(r *run) error { return r.keepForDelete(undoStub(r)) }

// undoStub kills a stub of this process.
func undoStub(r *run) error {
	if r.child == nil {
		return nil
	}
	return r.child.End()
}

func forkStub(r *run) error { return r.child.Fork(0) }

func detachStub(r *run) error {
	if err := r.child.Detach(); err != nil {
		return err
	}
	return r.child.Close()
}

// leaveStub leaves the stub connected to this process. If the context has ended after
// the last call, the connection is cut, and the stub ends.
func leaveStub(r *run) error { return r.outlive() }

// startAnswer is the time limit for a detached stub to accept its driver.
const startAnswer = 10 * time.Second

// attachStub connects to a detached stub, and removes the socket: the container
// cannot be started twice.
func attachStub(r *run) error {
	init, err := r.state.OpenProcess()
	if err != nil {
		return err
	}
	r.atEnd(func() { init.Close() })
	socket, region := filepath.Join(r.dir, state.ControlFile), filepath.Join(r.dir, state.RegionFile)
	sock, err := state.Dial(r.lock.Dir, state.ControlFile)
	if err != nil {
		return err
	}
	defer sock.Close()
	mem, err := sys.OpenFile(region, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer mem.Close()
	if r.stub, err = stub.Attach(sock, mem, stub.Process{Pid: r.state.Pid, Pidfd: init}, startAnswer, r.log); err != nil {
		return err
	}
	r.followContext()
	return errors.Join(os.Remove(socket), os.Remove(region))
}

func keepStub(r *run) error {
	r.child, r.stub = r.attached, r.attached.Proc
	r.followContext()
	return nil
}

// pid returns the process ID of the process that becomes the program. In start it
// usually is not a child of this process.
func (r *run) pid() int {
	if r.child != nil {
		return r.child.Pid
	}
	return r.state.Pid
}
