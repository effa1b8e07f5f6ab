// Package rootfs mounts the root file system that containerd describes in a request.
package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/api/types"
	"github.com/containerd/containerd/v2/core/mount"
)

// Mount mounts a root file system in the bundle, and returns its directory; "" if the
// request describes none, and the client has mounted it.
func Mount(bundle string, described []*types.Mount) (string, error) {
	if len(described) == 0 {
		return "", nil
	}
	dir := Dir(bundle)
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	mounts := make([]mount.Mount, len(described))
	for i, m := range described {
		mounts[i] = mount.Mount{Type: m.Type, Source: m.Source, Target: m.Target, Options: m.Options}
	}
	if err := mount.All(mounts, dir); err != nil {
		return "", errors.Join(fmt.Errorf("mount root file system: %w", err), Unmount(dir))
	}
	return dir, nil
}

// Dir returns the directory of the root file system in a bundle.
func Dir(bundle string) string { return filepath.Join(bundle, "rootfs") }

// Unmount unmounts a root file system, and what is mounted in it.
func Unmount(dir string) error {
	if dir == "" {
		return nil
	}
	if err := mount.UnmountRecursive(dir, 0); err != nil {
		return fmt.Errorf("unmount root file system: %w", err)
	}
	return nil
}
