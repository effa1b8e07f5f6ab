package setup

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/systemd"
	"github.com/berth-oci/berth/internal/namespaces"
	"github.com/berth-oci/berth/internal/scheduling"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// The steps by which a joining stub enters an existing container.

// findCgroup loads the cgroup that the stub enters.
func findCgroup(r *run) error {
	r.cgroup = manager.Load(r.cgroups, manager.LoadOptions{})
	return manager.Refusal(r.cgroup)
}

// startJoining starts the joining stub. After the program's descriptors it has init's
// pidfd.
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
	err = r.startInCgroup(cgroup, o)
	switch {
	case refusesProcesses(err) && r.anyCgroup:
		err = r.startInCgroupOfInit(o)
	case errors.Is(err, unix.EACCES) && r.state.Unit != nil: // of clone3(2)
		err = r.startInUnit(cgroup, o)
	}
	return err
}

// refusesProcesses reports whether clone3 failed because the v2 cgroup accepts no
// processes: it has enabled controllers for its children, or is below a threaded
// cgroup (cgroups(7)).
func refusesProcesses(err error) bool {
	return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EOPNOTSUPP) ||
		errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) // the cgroup is being removed
}

// startInCgroupOfInit starts a stub in the v2 cgroup that the container's init
// is in now.
func (r *run) startInCgroupOfInit(o stub.Options) error {
	paths, err := manager.Of("", strconv.Itoa(r.state.Pid))
	if err != nil {
		return err
	}
	return r.startInCgroup(paths[""], o)
}

// startInUnit starts a stub in the runtime's cgroup, and lets systemd move it into the
// container's unit. A process of a login session may not move itself: the session's
// cgroup is not below that of the user's systemd.
func (r *run) startInUnit(cgroup string, o stub.Options) error {
	if err := r.startInCgroup("", o); err != nil {
		return err
	}
	unit := systemd.Load(*r.state.Unit, r.cgroup, r.log)
	return unit.Attach(r.ctx, strings.TrimPrefix(cgroup, r.state.Cgroups[""]), r.child.Pid)
}

// startInCgroup starts a stub in a v2 cgroup; in the runtime's if path is empty. The
// stub enters the cgroup itself, unless the container may block this process.
func (r *run) startInCgroup(path string, o stub.Options) error {
	if path == "" {
		return r.startOnCPUs(o)
	}
	dir, err := sys.OpenFile(path, unix.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer dir.Close()
	if r.mayBlock {
		o.Cgroup = dir
		return r.startOnCPUs(o)
	}
	number := len(o.Files)
	o.Files = append(o.Files, dir)
	if err := r.startOnCPUs(o); err != nil {
		return err
	}
	if err := r.child.ForkInto(number); err != nil {
		err = errors.Join(err, undoStub(r))
		r.child = nil
		return err
	}
	r.stub.CloseFd(stub.Num(number))
	return nil
}

// startOnCPUs starts a stub on the CPUs of execCPUAffinity.initial.
func (r *run) startOnCPUs(o stub.Options) error {
	affinity := r.affinity()
	if affinity == nil || len(affinity.Initial) == 0 {
		return r.startChild(o)
	}
	return scheduling.On(affinity.Initial, func() error { return r.startChild(o) })
}

func (r *run) startChild(o stub.Options) (err error) {
	if r.child, err = stub.Start(r.ctx, o); err != nil {
		return err
	}
	r.stub = r.child.Proc
	r.followContext()
	return nil
}

// commandLine returns arguments and environment of the program or the hook.
func (j *job) commandLine() (args, env []string) {
	if j.hook != nil {
		return j.hook.Args, j.hook.Env
	}
	return j.cfg.Process.Args, j.cfg.Process.Env
}

// joinContainer lets the stub join the namespaces of init.
func joinContainer(r *run) error {
	init := stub.Num(3 + len(r.ExtraFiles))
	r.stub.Setsid() // the runtime gets the terminal's signals and forwards them
	r.forgetGroups()
	namespaces.EnterProcess(r.stub, init, r.cfg.Namespaces)
	r.stub.CloseFd(init)
	return r.flushWithInitDumpable()
}

// flushWithInitDumpable flushes the join of a hook stub of an unprivileged runtime.
// setns(2) needs ptrace access to init, which the kernel denies to an unprivileged
// process if init is not dumpable. Init, still a stub, is dumpable only during the
// join: the hook could trace it later (CVE-2016-9962).
func (r *run) flushWithInitDumpable() error {
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

// joinUnpivoted joins a container before pivot_root, and enters the container's root.
func joinUnpivoted(r *run) error {
	if err := joinContainer(r); err != nil {
		return err
	}
	r.stub.Label("root.path")
	r.stub.Chdir(r.cfg.Rootfs)
	return nil
}

// forkJoiningStub forks the joining stub. The child continues and leads a session.
func forkJoiningStub(r *run) error {
	if err := r.child.Fork(0); err != nil {
		return err
	}
	r.stub.Setsid()
	return nil
}
