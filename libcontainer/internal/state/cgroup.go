package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// DestroyTime is how long the removal of a cgroup may take: systemd takes its time
// on a busy host.
const DestroyTime = 30 * time.Second

// DestroyCgroup kills the processes that are left in a cgroup (processes that shared the pid
// namespace of others) and removes it.
func DestroyCgroup(ctx context.Context, cg cgroups.Manager, limit time.Duration) error {
	if pids, err := cg.Processes(); err == nil && len(pids) > 0 {
		if err := cgroups.Kill(cg, unix.SIGKILL); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return cg.Destroy(ctx)
}

// ExplainCgroup adds to an error what an unprivileged user can do about it, if a
// cgroup could not be made or changed for lack of permission, or does not exist.
func ExplainCgroup(err error) error {
	if os.Geteuid() == 0 && !probe.InUserNamespace() || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, cgroups.ErrNoCgroup) {
		return err
	}
	return fmt.Errorf("%w (the container of an unprivileged user needs a delegated cgroup v2: "+
		"create it by \"systemd-run --user --scope -p Delegate=yes\")", err)
}
