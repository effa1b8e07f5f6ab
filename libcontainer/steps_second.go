package libcontainer

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/cgroups/systemd"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/console"
	"github.com/berth-oci/berth/libcontainer/namespaces"
	"github.com/berth-oci/berth/libcontainer/scheduling"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// The steps by which a second stub gets into a container that exists.

// startSecond starts a second stub, which is to get into the container. Behind
// the descriptors that the program is to have, it has one that refers to the
// container's first process.
func startSecond(r *run) error {
	init, err := r.c.state.openProcess()
	if err != nil {
		return err
	}
	defer init.Close()
	files := append(r.opts.Stdio[:], r.opts.ExtraFiles...)
	args, env := r.commandLine()
	o := stub.Options{
		Files: append(files, init), RegionSize: stub.RegionSize(args, env, len(r.cfg.Process.AdditionalGIDs)), Dir: r.c.dir, Log: r.log,
	}
	cgroup := ""
	if r.cgroup != nil {
		cgroup = r.cgroup.Entry().Dir
	}
	err = r.startIn(cgroup, o)
	switch {
	case takesNoProcess(err) && r.anyCgroup:
		err = r.startBeside(o)
	case errors.Is(err, fs.ErrPermission) && r.c.state.Unit != nil:
		err = r.startAttached(cgroup, o)
	}
	if err != nil {
		return err
	}
	r.p = r.child.Proc
	r.unwatch = r.p.EndWith(r.ctx)
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
	paths, err := manager.Of("", strconv.Itoa(r.c.state.Pid))
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
	unit := systemd.Load(*r.c.state.Unit, r.cgroup, r.log)
	return unit.Attach(r.ctx, strings.TrimPrefix(cgroup, r.c.state.Cgroups[""]), r.child.Pid)
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
	affinity := r.execAffinity()
	if affinity == nil || len(affinity.Initial) == 0 {
		return r.startChild(o)
	}
	return scheduling.On(affinity.Initial, func() error { return r.startChild(o) })
}

func (r *run) startChild(o stub.Options) (err error) {
	r.child, err = stub.Start(r.ctx, o)
	return err
}

// commandLine gives arguments and environment of what the second stub becomes.
func (r *run) commandLine() (args, env []string) {
	if r.hook != nil {
		return r.hookCommand()
	}
	return r.cfg.Process.Args, r.cfg.Process.Env
}

// joinContainer has a second stub join the namespaces of the container's
// first process.
func joinContainer(r *run) error {
	init := stub.Num(3 + len(r.opts.ExtraFiles))
	r.p.Setsid() // a signal from the terminal is for the runtime, which passes it on
	r.forgetGroups()
	namespaces.EnterProcess(r.p, init, r.cfg.Namespaces)
	r.p.CloseFd(init)
	if err := r.beLetIn(); err != nil {
		return err
	}
	if !hasUserNamespace(r.cfg) {
		return nil
	}
	if err := r.askGroups(); err != nil {
		return err
	}
	return becomeRoot(r)
}

// beLetIn has a container joined whose first process is a stub of an unprivileged
// runtime's. To join its namespaces is to trace it (setns(2)), and who is not
// root may not trace what is not dumpable: so it is for that moment, but not when
// the hook runs, which could trace it, too (CVE-2016-9962).
func (r *run) beLetIn() error {
	if r.first == nil || os.Geteuid() == 0 || !hasUserNamespace(r.cfg) {
		return nil
	}
	r.first.p.Prctl(unix.PR_SET_DUMPABLE, 1)
	err := r.first.flush()
	if err == nil {
		err = r.flush()
	}
	r.first.p.Prctl(unix.PR_SET_DUMPABLE, 0)
	return errors.Join(err, r.first.flush())
}

// joinUnpivoted joins a container whose root is not yet "/", and enters that.
func joinUnpivoted(r *run) error {
	if err := joinContainer(r); err != nil {
		return err
	}
	r.p.Label("root.path")
	r.p.Chdir(r.cfg.Rootfs)
	return nil
}

func hasPidNamespace(c *config.Config) bool { return c.Namespaces.Has(unix.CLONE_NEWPID) }

// addsProcfs tells whether one of the mounts that are added shows the pid
// namespace of who mounts it.
func addsProcfs(c *config.Config) bool {
	return hasPidNamespace(c) && slices.ContainsFunc(c.Mounts, func(m config.Mount) bool { return m.Type == "proc" && !m.Bind })
}

// forkSecond makes the second stub's child go on, which leads a session like it.
func forkSecond(r *run) error {
	if err := r.child.Fork(0); err != nil {
		return err
	}
	r.p.Setsid()
	return nil
}

func controlTerminal(r *run) error {
	console.Control(r.p)
	return nil
}
