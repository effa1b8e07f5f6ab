package setup

import (
	"maps"

	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
)

func isolateMounts(r *run) error {
	return rootfs.Isolate(r.stub, r.cfg.RootfsPropagation, r.cfg.Rootfs)
}

func openRoot(r *run) error {
	r.tree = rootfs.Open(r.child, r.cfg.Rootfs)
	r.atEnd(r.tree.Release)
	r.tree.StatSources(r.cfg.Mounts)
	return nil
}

func openRootFromInside(r *run) error {
	r.tree = rootfs.OpenWorkingDirectory(r.child, r.cfg.Rootfs)
	r.atEnd(r.tree.Release)
	r.tree.StatSources(r.cfg.Mounts)
	return nil
}

func mountFilesystems(r *run) error {
	paths, err := r.shownCgroups()
	if err != nil {
		return err
	}
	return r.tree.Run(rootfs.Mounts(r.cfg, rootfs.CgroupHost{Root: manager.DefaultRoot, Paths: paths}))
}

// shownCgroups returns the cgroups that a cgroup mount shows: the container's and, for the
// controllers in which an unprivileged user could not make one, the runtime's.
func (r *run) shownCgroups() (map[string]string, error) {
	shown := r.state.Cgroups
	if len(shown) < len(r.planned) {
		own, err := manager.Own("")
		if err != nil {
			return nil, err
		}
		maps.Copy(own, shown)
		shown = own
	}
	return shown, nil
}

func protectPaths(r *run) error {
	return r.tree.Protect(r.cfg.ReadonlyPaths, r.cfg.MaskedPaths)
}

func makeDevReadonly(r *run) error {
	r.tree.ReadonlyDev()
	return nil
}

func makeRootReadonly(r *run) error {
	r.tree.Readonly()
	return nil
}

func pivotRoot(r *run) error {
	r.tree.Pivot()
	rootfs.Propagate(r.stub, r.cfg.RootfsPropagation)
	return nil
}

func moveRoot(r *run) error {
	if err := r.tree.Move(r.cfg.RootfsPropagation); err != nil {
		return err
	}
	rootfs.Propagate(r.stub, r.cfg.RootfsPropagation)
	return nil
}
