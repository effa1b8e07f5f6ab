package setup

import (
	"context"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/devices"
	"github.com/berth-oci/berth/internal/cgroups/systemd"
	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// planCgroup chooses the container's cgroup and records it in the state before it
// exists.
func planCgroup(r *run) (err error) {
	o := manager.Options{
		CgroupsPath: r.cfg.CgroupsPath, ID: r.id, Rootless: r.rootless,
		Controllers: []string{"cpu", "io", "memory", "pids"}, // engines read their statistics
	}
	if r.cfg.SystemdCgroup {
		err = r.planUnit(o)
	} else {
		r.cgroup, err = manager.New(o)
	}
	if err != nil {
		return err
	}
	// Must precede the record in the state: delete kills all processes of that cgroup.
	if err := cgroups.CheckUnused(r.cgroup); err != nil {
		return err
	}
	r.planned = r.cgroup.Paths()
	r.note(func(s *state.State) { s.Cgroups, s.Unit = r.planned, unitOf(r.unit) })
	_, err = r.noting.wait()
	return err
}

func (r *run) planUnit(o manager.Options) (err error) {
	r.unit, err = systemd.New(r.ctx, systemd.Options{
		CgroupsPath: o.CgroupsPath, ID: o.ID, User: o.Rootless, Annotations: r.cfg.Annotations, Log: r.log,
		Files: func(path string) (cgroups.Manager, error) {
			o.CgroupsPath = path
			return manager.New(o)
		},
	})
	if err == nil { // a nil *systemd.Manager would be a Manager that is not nil
		r.cgroup = r.unit
	}
	return err
}

// unitOf returns the unit for the state; nil without systemd.
func unitOf(m *systemd.Manager) *systemd.Unit {
	if m == nil {
		return nil
	}
	unit := m.Unit()
	return &unit
}

func makeCgroup(r *run) error {
	if err := r.cgroup.Create(); err != nil {
		return state.ExplainCgroup(err)
	}
	r.ownCgroup = true
	// For an unprivileged user some controllers may have no directory.
	r.state.Cgroups = r.cgroup.Paths()
	if len(r.state.Cgroups) != len(r.planned) {
		r.note(func(s *state.State) { s.Cgroups = r.cgroup.Paths() })
	}
	return nil
}

// resources returns the limits and device rules of the container.
func (r *run) resources() *specs.LinuxResources {
	resources := specs.LinuxResources{}
	if r.cfg.Resources != nil {
		resources = *r.cfg.Resources
	}
	// A container without device rules is restricted to the default devices, too.
	resources.Devices = devices.WithDefaults(resources.Devices)
	return &resources
}

// limitsResult is the result of writing the limits.
type limitsResult struct {
	witness *monitor.Witness // of a unit's cgroup
	unit    bool             // systemd made the unit
	// doubtful: systemd may have made the unit, but the process is not in it.
	doubtful bool
}

// limitCgroup puts off writing the limits and device rules.
func limitCgroup(r *run) error {
	resources, cgroup := r.resources(), r.cgroup
	r.limits = meanwhile(r, func() (limitsResult, error) { return limitsResult{}, state.ExplainCgroup(cgroup.Set(resources)) })
	return nil
}

// startUnit starts a task: systemd makes the cgroup with the stub in it, then the
// runtime writes the limits.
func startUnit(r *run) error {
	resources, unit, pid := r.resources(), r.unit, r.child.Pid
	r.state.Cgroups, r.state.Unit = r.planned, unitOf(unit)
	r.limits = begin(r, func() (limitsResult, error) {
		o, err := startScope(r.ctx, unit, pid, resources)
		return o, state.ExplainCgroup(err)
	})
	return nil
}

func startScope(ctx context.Context, unit *systemd.Manager, pid int, resources *specs.LinuxResources) (o limitsResult, err error) {
	if o.doubtful, err = unit.Start(ctx, pid, resources); err != nil {
		return o, err
	}
	o.unit = true
	if o.witness, err = monitor.NewWitness(unit.Manager); err != nil {
		return o, err
	}
	return o, unit.Manager.Set(resources)
}

// undoCgroup removes the cgroup if create made it. A cgroup that existed before
// belongs to another user, with its processes.
func undoCgroup(r *run) error {
	var o limitsResult
	if r.limits != nil {
		o, _ = r.limits.wait() // undo reports the error
	}
	ctx := context.Background() // not r.ctx: it may have ended, which also leads here
	switch {
	case r.leftovers:
		return nil
	case o.doubtful:
		return r.keepForDelete(r.unit.Clear(ctx))
	case r.ownCgroup || o.unit:
		return r.keepForDelete(state.DestroyCgroup(ctx, r.cgroup, state.DestroyTime))
	}
	return nil
}

// openCgroup opens the v2 cgroup in which the stub starts. It returns nil without v2,
// and if systemd makes the cgroup around the stub.
func openCgroup(cgroup cgroups.Manager, unit *systemd.Manager) (*os.File, error) {
	path := cgroup.Entry().Dir
	if path == "" || unit != nil {
		return nil, nil
	}
	return sys.OpenFile(path, unix.O_RDONLY, 0)
}

func awaitLimits(r *run) error {
	_, err := r.limits.wait()
	return err
}

// enterCgroup has the stub move itself into the v1 cgroups.
func enterCgroup(r *run) error {
	for _, file := range r.cgroup.Entry().Files {
		r.stub.Label("%s", file)
		f := r.stub.Openat(stub.Num(unix.AT_FDCWD), file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		r.stub.Write(f, "0")
		r.stub.CloseFd(f)
	}
	r.stub.Label("")
	return nil
}

// chownCgroup makes the program's user the owner of the v2 cgroup. v1 cgroups cannot
// be delegated safely, so on v1 and hybrid hosts no owner changes (config-linux.md,
// Cgroup ownership).
func chownCgroup(r *run) error {
	paths := r.state.Cgroups
	if len(paths) != 1 || paths[""] == "" {
		return nil
	}
	uid, err := r.hostUID(r.cfg.Process.UID)
	if err != nil {
		return err
	}
	return cgroups.Delegate(r.cgroup, int(uid))
}
