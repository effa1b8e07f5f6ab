package setup

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/systemd"
	"github.com/berth-oci/berth/internal/namespaces"
	"github.com/berth-oci/berth/internal/scheduling"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// The steps by which a second stub gets into a container that exists.

// findCgroup loads the cgroup that the stub is to enter.
func findCgroup(r *run) error {
	r.cgroup = manager.Load(r.cgroups, manager.LoadOptions{})
	return nil
}

// startJoining starts a stub that is to join the container. After the
// descriptors that the program is to have, it has one that refers to init.
func startJoining(r *run) error {
	init, err := r.state.OpenProcess()
	if err != nil {
		return err
	}
	defer init.Close()
	args, env := r.commandLine()
	o := stub.Options{
		Files:      append(append(r.Stdio[:], r.ExtraFiles...), init),
		RegionSize: stub.RegionSize(args, env, len(r.cfg.Process.AdditionalGIDs)), Dir: r.dir, Log: r.log,
	}
	cgroup := r.cgroup.Entry().Dir
	err = r.startIn(cgroup, o)
	switch {
	case takesNoProcess(err) && r.anyCgroup:
		err = r.startBeside(o)
	case errors.Is(err, fs.ErrPermission) && r.state.Unit != nil:
		err = r.startAttached(cgroup, o)
	}
	if err != nil {
		return err
	}
	r.stub = r.child.Proc
	r.atEnd(r.stub.EndWith(r.ctx))
	return nil
}

// takesNoProcess reports whether that is what a v2 cgroup answers: one whose
// controllers are enabled for the cgroups below it, or that has come to stand
// below a threaded one (cgroups(7)).
func takesNoProcess(err error) bool {
	return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EOPNOTSUPP) ||
		errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) // it is being removed
}

// startBeside starts a stub in the v2 cgroup that the container's first process
// has gone to.
func (r *run) startBeside(o stub.Options) error {
	paths, err := manager.Of("", strconv.Itoa(r.state.Pid))
	if err != nil {
		return err
	}
	return r.startIn(paths[""], o)
}

// startAttached starts a stub in the runtime's cgroup, and has systemd move it
// into one of the container's unit. A user who has logged in may not do that
// himself: the cgroup of his session is not below that of his systemd.
func (r *run) startAttached(cgroup string, o stub.Options) error {
	if err := r.startIn("", o); err != nil {
		return err
	}
	unit := systemd.Load(*r.state.Unit, r.cgroup, r.log)
	return unit.Attach(r.ctx, strings.TrimPrefix(cgroup, r.state.Cgroups[""]), r.child.Pid)
}

// startIn starts a stub in a v2 cgroup; without a path, in the runtime's.
func (r *run) startIn(path string, o stub.Options) error {
	if path != "" {
		dir, err := os.Open(path)
		if err != nil {
			return err
		}
		defer dir.Close()
		o.Cgroup = dir
	}
	affinity := r.affinity()
	if affinity == nil || len(affinity.Initial) == 0 {
		return r.startChild(o)
	}
	return scheduling.On(affinity.Initial, func() error { return r.startChild(o) })
}

func (r *run) startChild(o stub.Options) (err error) {
	r.child, err = stub.Start(r.ctx, o)
	return err
}

// commandLine returns arguments and environment of what the stub becomes.
func (j *job) commandLine() (args, env []string) {
	if j.hook != nil {
		return j.hook.Args, j.hook.Env
	}
	return j.cfg.Process.Args, j.cfg.Process.Env
}

// joinContainer has the stub join the namespaces of init.
func joinContainer(r *run) error {
	init := stub.Num(3 + len(r.ExtraFiles))
	r.stub.Setsid() // a signal from the terminal is for the runtime, which passes it on
	r.forgetGroups()
	namespaces.EnterProcess(r.stub, init, r.cfg.Namespaces)
	r.stub.CloseFd(init)
	return r.beLetIn()
}

// beLetIn has a container joined whose first process is a stub of an unprivileged
// runtime's. To join its namespaces is to trace it (setns(2)), and who is not
// root may not trace what is not dumpable: so it is for that moment, but not when
// the hook runs, which could trace it, too (CVE-2016-9962).
func (r *run) beLetIn() error {
	if r.init == nil || r.root || !hasUserNamespace(r.cfg) {
		return nil
	}
	r.init.Prctl(unix.PR_SET_DUMPABLE, 1)
	err := r.init.Do()
	if err == nil {
		err = r.flush()
	}
	r.init.Prctl(unix.PR_SET_DUMPABLE, 0)
	return errors.Join(err, r.init.Do())
}

// joinUnpivoted joins a container whose root is not yet "/", and enters that.
func joinUnpivoted(r *run) error {
	if err := joinContainer(r); err != nil {
		return err
	}
	r.stub.Label("root.path")
	r.stub.Chdir(r.cfg.Rootfs)
	return nil
}

// forkJoined makes the second stub's child go on, which leads a session like it.
func forkJoined(r *run) error {
	if err := r.child.Fork(0); err != nil {
		return err
	}
	r.stub.Setsid()
	return nil
}
