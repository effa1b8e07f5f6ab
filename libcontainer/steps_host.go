package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/namespaces"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// reserveState makes the container's directory, whose making settles who has
// the id, locks it and writes the first state.
func reserveState(r *run) error {
	err := os.Mkdir(r.c.dir, 0o711)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w (delete it first, or choose another ID)", ErrExist)
	}
	if err != nil {
		return err
	}
	r.lock, err = lockDir(r.c.dir, 0)
	if err != nil && !errors.Is(err, errLocked) && !errors.Is(err, ErrNotExist) {
		return errors.Join(err, os.Remove(r.c.dir)) // undo takes it for another's
	}
	if err != nil {
		return err
	}
	if err := r.planCgroup(); err != nil {
		return err
	}
	// Before it is in the state: delete kills what is in there.
	if err := cgroups.CheckUnused(r.cgroup); err != nil {
		return err
	}
	r.c.state.Cgroups = r.cgroup.Paths()
	return r.c.state.write(r.c.dir)
}

// undoState removes the directory, if it is ours.
func undoState(r *run) error {
	if r.lock == nil {
		return nil
	}
	if err := removeState(r.c.dir); err != nil {
		return err
	}
	if r.child != nil { // what came before has no part in the container's life
		r.c.poststop(context.WithoutCancel(r.ctx), r.cfg)
	}
	return nil
}

// startStub starts the container's first process.
func startStub(r *run) error {
	if err := r.openChannel(); err != nil {
		return err
	}
	cgroup, err := r.openCgroup()
	if err != nil {
		return err
	}
	defer cgroup.Close() // nil without v2
	r.plan = namespaces.PlanFor(r.cfg.Namespaces)
	r.child, err = stub.Start(r.ctx, stub.Options{
		Files:      append(r.opts.Stdio[:], r.opts.ExtraFiles...),
		Cloneflags: uintptr(r.plan.Clone),
		Cgroup:     cgroup,
		Region:     r.region,
		RegionSize: r.regionSize(),
		Listener:   r.listener,
		Dir:        r.c.dir,
		Log:        r.log,
	})
	if err != nil {
		return remedyNamespaces(err, r.cfg)
	}
	r.p = r.child.Proc
	r.beside.Go(func() error { return writeJSON(r.c.dir, configFile, r.cfg) })
	r.unwatch = r.p.EndWith(r.ctx)
	return r.recordPid()
}

// openChannel makes what the stub is driven by when it is detached: the region,
// and the socket.
func (r *run) openChannel() (err error) {
	if !r.opts.Detach {
		return nil // the region needs no file then
	}
	r.region, err = os.OpenFile(filepath.Join(r.c.dir, regionFile), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err == nil {
		err = allocate(r.region, r.regionSize())
	}
	if err == nil {
		r.listener, err = listen(r.lock.dir, controlFile)
	}
	return err
}

func (r *run) regionSize() int {
	p := &r.cfg.Process
	return stub.RegionSize(p.Args, p.Env, len(p.AdditionalGIDs))
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

// recordPid notes who the stub is, so that "delete --force" can end a create
// that hangs.
func (r *run) recordPid() error {
	s := r.c.state
	ticks, alive, err := startTime(r.child.Pid)
	if err == nil && !alive {
		err = stub.ErrGone
	}
	if err != nil {
		return err
	}
	s.Pid, s.StartTime = r.child.Pid, ticks
	now := *s
	r.beside.Go(func() error { return now.write(r.c.dir) })
	return nil
}

func undoStub(r *run) error {
	if r.child == nil {
		return nil
	}
	return r.child.End()
}

func forkStub(r *run) error {
	if err := r.child.Fork(0); err != nil {
		return err
	}
	if err := r.beside.Wait(); err != nil { // the pid before is being written
		return err
	}
	return r.recordPid()
}

// ownStdio gives the program's user the files that are its descriptors 0, 1
// and 2, except a terminal and the null device, which are everybody's. Who
// that is in a user namespace to be joined is known when it has been.
func ownStdio(r *run) error {
	if r.plan.User != nil && !r.joined {
		return nil
	}
	uid, err := r.hostUID(r.cfg.Process.UID)
	if err != nil {
		return err
	}
	for i, f := range r.opts.Stdio {
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
	r.c.state.Complete = true
	return r.c.state.write(r.c.dir)
}

func detachStub(r *run) error {
	if !r.opts.Detach {
		return nil
	}
	if err := r.child.Detach(); err != nil {
		return err
	}
	return r.child.Close()
}

// startAnswer is how long a stub may take to accept its driver.
const startAnswer = 10 * time.Second

// attachStub takes up the connection to a detached stub. The socket is removed:
// the container is not to be started twice.
func attachStub(r *run) error {
	if r.p != nil { // it was never given up
		r.unwatch = r.p.EndWith(r.ctx)
		return nil
	}
	var err error
	if r.init, err = r.c.state.openProcess(); err != nil {
		return err
	}
	socket, region := filepath.Join(r.c.dir, controlFile), filepath.Join(r.c.dir, regionFile)
	sock, err := dial(r.lock.dir, controlFile)
	if err != nil {
		return err
	}
	defer sock.Close()
	mem, err := os.OpenFile(region, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer mem.Close()
	process := stub.Process{Pid: r.c.state.Pid, Pidfd: r.init}
	if r.p, err = stub.Attach(sock, mem, process, startAnswer, r.log); err != nil {
		return err
	}
	r.unwatch = r.p.EndWith(r.ctx)
	return errors.Join(os.Remove(socket), os.Remove(region))
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
			r.p.Label("%s: soft %d, hard %d", l.Field, l.Soft, l.Hard)
			r.p.Setrlimit(l.Resource, l.Soft, l.Hard)
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
