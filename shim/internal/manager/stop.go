package manager

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/shim"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/shim/internal/options"
	"github.com/berth-oci/berth/shim/internal/rootfs"
)

// Stop removes a container whose shim was killed. The current directory is a bundle next
// to that of the container. Its exit status is lost with the shim, its parent: clients get
// that of SIGKILL.
func (*Manager) Stop(ctx context.Context, id string) (shim.StopStatus, error) {
	status := shim.StopStatus{ExitStatus: 128 + int(unix.SIGKILL), ExitedAt: time.Now()}
	cwd, err := os.Getwd()
	if err != nil {
		return status, err
	}
	bundle := filepath.Join(filepath.Dir(cwd), id)
	namespace, err := namespaces.NamespaceRequired(ctx)
	if err != nil {
		return status, err
	}
	status.Pid, err = remove(ctx, bundle, namespace, id)
	return status, errors.Join(err, rootfs.Unmount(rootfs.Dir(bundle)))
}

// remove deletes a container, and returns the pid that its init had. A container that does
// not exist is no error.
func remove(ctx context.Context, bundle, namespace, id string) (int, error) {
	opts, err := options.Load(bundle)
	if err != nil {
		return 0, fmt.Errorf("read options: %w", err)
	}
	r, err := ociruntime.New(ociruntime.Options{Root: opts.StateRoot(namespace)})
	if err != nil {
		return 0, err
	}
	pid := 0
	c, err := r.Load(id)
	switch {
	case err == nil:
		pid = c.Pid()
	case !errors.Is(err, libcontainer.ErrNotExist):
		return 0, err
	}
	return pid, r.Delete(ctx, id, ociruntime.DeleteOptions{Force: true})
}
