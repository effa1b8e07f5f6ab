package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// reserveState makes the container's directory, which claims the ID atomically,
// and locks it.
func reserveState(r *run) error {
	err := os.Mkdir(r.dir, 0o711)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w (delete it first, or choose another ID)", state.ErrExist)
	}
	if err != nil {
		return err
	}
	r.lock, err = state.LockDir(r.dir, 0)
	if err != nil && !errors.Is(err, state.ErrLocked) && !errors.Is(err, state.ErrNotExist) {
		return errors.Join(err, os.Remove(r.dir)) // undo takes it for another container's
	}
	if err != nil {
		return err
	}
	r.atEnd(r.lock.Unlock)
	r.state = state.New(r.id, r.cfg)
	r.noted = *r.state
	return nil
}

// undoState removes the directory, if this create has made it.
func undoState(r *run) error {
	if r.lock == nil {
		return nil
	}
	if r.leftovers {
		return nil // delete finds what is to be removed in the state
	}
	removed, err := state.Remove(r.dir)
	if err != nil {
		return err
	}
	if r.child != nil && removed { // poststop hooks run only if init existed
		RunPoststop(context.WithoutCancel(r.ctx), r.hookState(specs.StateStopped, 0), r.cfg, r.log)
	}
	return nil
}

// openControl makes what the stub is driven by when it is detached: the region,
// and the socket.
func openControl(r *run) (err error) {
	r.region, err = os.OpenFile(filepath.Join(r.dir, state.RegionFile), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
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
	r.saved = begin(r, func() (struct{}, error) { return struct{}{}, state.WriteConfig(r.dir, r.cfg) })
	r.atEnd(r.stub.EndWith(r.ctx))
	return r.notePid(r.child.Pid)
}

// notePid writes which process the stub is, so that "delete --force" can end a
// create that hangs.
func (r *run) notePid(pid int) error {
	ticks, alive, err := state.StartTimeOf(pid)
	if err == nil && !alive {
		err = stub.ErrGone
	}
	if err == nil {
		r.note(func(s *state.State) { s.Pid, s.StartTime = pid, ticks })
	}
	return err
}

// recordProcess settles which process becomes the program. It differs from the
// stub that was started if that has forked.
func recordProcess(r *run) error {
	if r.noted.Pid != r.child.Pid {
		if err := r.notePid(r.child.Pid); err != nil {
			return err
		}
	}
	r.state.Pid, r.state.StartTime = r.noted.Pid, r.noted.StartTime
	return nil
}

func (r *run) regionSize() int {
	return stub.RegionSize(r.cfg.Process.Args, r.cfg.Process.Env, len(r.cfg.Process.AdditionalGIDs))
}

// allocate gives a file its size and its room: to write to a mapping when the
// file system is full is SIGBUS.
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

func undoStub(r *run) error {
	if r.child == nil {
		return nil
	}
	err := r.child.End()
	if r.op != inCreate {
		return err
	}
	return r.leave(err)
}

func forkStub(r *run) error { return r.child.Fork(0) }

// ownStdio gives the program's user the files that are its descriptors 0, 1
// and 2, except a terminal and the null device, which are everybody's.
func ownStdio(r *run) error {
	uid, err := r.hostUID(r.cfg.Process.UID)
	if err != nil {
		return err
	}
	for i, f := range r.Stdio {
		if f == nil || (r.cfg.Process.Terminal && r.hook == nil) {
			continue
		}
		denied, err := ownFile(f, uid)
		if err != nil {
			return fmt.Errorf("descriptor %d: %w", i, err)
		}
		if denied {
			r.notOwned = append(r.notOwned, i)
		}
	}
	return nil
}

// chownStdio has the namespace's root give away what the runtime may not, if it
// belongs to one of its users.
func chownStdio(r *run) error {
	for _, fd := range r.notOwned {
		r.stub.Fchownat(stub.Num(fd), "", int(r.cfg.Process.UID), -1, unix.AT_EMPTY_PATH).MayFail(unix.EPERM, unix.EROFS) // as in ownFile
	}
	return nil
}

// ownFile gives a file to a user. That it is not ours to give is no error: the
// program can still use the descriptor.
func ownFile(f *os.File, uid uint32) (denied bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return false, err
	}
	if st.Uid == uid || st.Mode&unix.S_IFMT == unix.S_IFCHR {
		return false, nil
	}
	err = f.Chown(int(uid), -1)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EROFS) {
		return true, nil
	}
	return false, err
}

func saveState(r *run) error {
	if err := r.lock.StillThere(r.dir); err != nil {
		return err
	}
	if _, err := r.saved.wait(); err != nil {
		return err
	}
	if _, err := r.noting.wait(); err != nil {
		return err
	}
	r.state.Launch, r.state.Complete = r.launch, true
	return r.state.Write(r.dir)
}

func detachStub(r *run) error {
	if err := r.child.Detach(); err != nil {
		return err
	}
	return r.child.Close()
}

// startAnswer is how long a stub may take to accept its driver.
const startAnswer = 10 * time.Second

// attachStub takes up the connection to a detached stub. The socket is removed:
// the container cannot be started twice.
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
	mem, err := os.OpenFile(region, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer mem.Close()
	if r.stub, err = stub.Attach(sock, mem, stub.Process{Pid: r.state.Pid, Pidfd: init}, startAnswer, r.log); err != nil {
		return err
	}
	r.atEnd(r.stub.EndWith(r.ctx))
	return errors.Join(os.Remove(socket), os.Remove(region))
}

func keepStub(r *run) error {
	r.child, r.stub = r.attached, r.attached.Proc
	r.atEnd(r.stub.EndWith(r.ctx))
	return nil
}

// pid is that of the process that becomes the program: in start it is another
// process's child, mostly.
func (r *run) pid() int {
	if r.child != nil {
		return r.child.Pid
	}
	return r.state.Pid
}

// setLimits sets the program's resource limits. The stub lowers its own, with
// the call that executes the program behind; to raise a hard limit takes
// CAP_SYS_RESOURCE, which only the runtime may have.
func setLimits(r *run) error {
	for _, l := range r.cfg.Process.Rlimits {
		have, err := stubLimit(r.pid(), l.Resource)
		if err != nil {
			return fmt.Errorf("%s: getrlimit: %w", l.Field, err)
		}
		if l.Hard <= have.Max {
			r.stub.Label("%s: soft %d, hard %d", l.Field, l.Soft, l.Hard)
			r.stub.Setrlimit(l.Resource, l.Soft, l.Hard)
			continue
		}
		limit := unix.Rlimit{Cur: l.Soft, Max: l.Hard}
		err = unix.Prlimit(r.pid(), l.Resource, &limit, nil)
		if errors.Is(err, unix.EPERM) {
			return fmt.Errorf("%s: raise hard limit from %d to %d: %w (needs CAP_SYS_RESOURCE)", l.Field, have.Max, l.Hard, err)
		}
		if err != nil {
			return fmt.Errorf("%s: prlimit: %w", l.Field, err)
		}
	}
	return nil
}

// stubLimit gives a resource limit of the stub. One who may not ask (who is not
// root, and of whom the stub has another user) takes his own: the stub has
// inherited those, unless create was run with others.
func stubLimit(pid, resource int) (have unix.Rlimit, err error) {
	err = unix.Prlimit(pid, resource, nil, &have)
	if errors.Is(err, unix.EPERM) {
		err = unix.Getrlimit(resource, &have)
	}
	return have, err
}
