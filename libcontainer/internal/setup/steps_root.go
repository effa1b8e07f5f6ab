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
	paths := r.state.Cgroups
	if len(paths) < len(r.planned) { // for the missing controllers, show the runtime's cgroup
		own, err := manager.Own("")
		if err != nil {
			return err
		}
		maps.Copy(own, paths)
		paths = own
	}
	return r.tree.Run(rootfs.Mounts(r.cfg, rootfs.CgroupHost{Root: manager.DefaultRoot, Paths: paths}))
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
