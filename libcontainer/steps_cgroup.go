package libcontainer

import (
	"context"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/devices"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/cgroups/systemd"
)

// planCgroup finds out which cgroup the container will have. The state names it
// before it is made.
func (r *run) planCgroup() (err error) {
	o := manager.Options{
		CgroupsPath: r.cfg.CgroupsPath, ID: r.c.ID(), Rootless: r.opts.Rootless,
		Controllers: []string{"cpu", "io", "memory", "pids"}, // engines read what these count
	}
	if !r.cfg.SystemdCgroup {
		r.cgroup, err = manager.New(o)
		return err
	}
	r.unit, err = systemd.New(r.ctx, systemd.Options{
		CgroupsPath: o.CgroupsPath, ID: o.ID, User: o.Rootless, Annotations: r.cfg.Annotations, Log: r.log,
		Files: func(path string) (cgroups.Manager, error) {
			o.CgroupsPath = path
			return manager.New(o)
		},
	})
	if err != nil {
		return err
	}
	unit := r.unit.Unit()
	r.cgroup, r.c.state.Unit = r.unit, &unit
	return nil
}

func makeCgroup(r *run) error {
	if err := r.cgroup.Create(); err != nil {
		return remedyCgroup(err)
	}
	r.cgroupMade = true
	// An unprivileged user may have to go without some: nothing may think
	// that the directories are there.
	paths := r.cgroup.Paths()
	r.noCgroup = len(paths) < len(r.c.state.Cgroups)
	r.c.state.Cgroups = paths
	return nil
}

// resources are the limits and device rules of the container.
func (r *run) resources() *specs.LinuxResources {
	resources := specs.LinuxResources{}
	if r.cfg.Resources != nil {
		resources = *r.cfg.Resources
	}
	// Without rules of its own, too, a container has no other devices.
	resources.Devices = devices.WithDefaults(resources.Devices)
	return &resources
}

// limitCgroup begins to write the limits and device rules.
func limitCgroup(r *run) error {
	resources, step := r.resources(), r.step // by the time that it fails, others have begun
	r.beside.Go(func() error { return r.stepError(step, remedyCgroup(r.cgroup.Set(resources))) })
	return nil
}

// startUnit begins to have systemd make the cgroup, with the stub in it, and to
// write the limits.
func startUnit(r *run) error {
	resources, step, pid := r.resources(), r.step, r.child.Pid
	r.beside.Go(func() error {
		err := r.unit.Start(r.ctx, pid, resources)
		if err == nil {
			r.cgroupMade = true
			r.c.witness, err = newWitness(r.unit.Manager)
		}
		if err == nil {
			err = r.unit.Manager.Set(resources)
		}
		return r.stepError(step, remedyCgroup(err))
	})
	return nil
}

// undoCgroup removes the cgroup, if it was made for the container: one that was
// refused is somebody else's, with their processes.
func undoCgroup(r *run) error {
	if !r.cgroupMade {
		return nil
	}
	// Not r.ctx: that it has ended may be why we are here.
	return destroyCgroup(context.Background(), r.cgroup)
}

// openCgroup opens the v2 cgroup to start in; there is none without v2, and
// where systemd makes the cgroup around the stub.
func (r *run) openCgroup() (*os.File, error) {
	path := r.cgroup.Entry().Dir
	if path == "" || r.unit != nil {
		return nil, nil
	}
	return os.Open(path)
}

func awaitLimits(r *run) error { return r.beside.Wait() }
