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

// DestroyTime is the time limit for the removal of a cgroup: systemd can be slow on a
// busy host.
const DestroyTime = 30 * time.Second

// DestroyCgroup kills the remaining processes of a cgroup and removes it within limit.
// A container without its own pid namespace can leave processes when init ends. A pause
// that was in progress when init was killed can leave it frozen: on v1 an exec stub that
// enters it then ends only after the thaw.
func DestroyCgroup(ctx context.Context, cg cgroups.Manager, limit time.Duration) error {
	if pids, err := cg.Processes(); err == nil && len(pids) > 0 {
		if err := cgroups.Kill(cg, unix.SIGKILL); err != nil {
			return err
		}
	} else if err := cgroups.Thaw(cg); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return cg.Destroy(ctx)
}

// ExplainCgroup adds a remedy for unprivileged users to fs.ErrPermission and
// cgroups.ErrNoCgroup.
func ExplainCgroup(err error) error {
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, cgroups.ErrNoCgroup) {
		return err
	}
	if os.Geteuid() == 0 && !probe.InUserNamespace() {
		return err
	}
	return fmt.Errorf("%w (the container of an unprivileged user needs a delegated cgroup v2: "+
		"create it by \"systemd-run --user --scope -p Delegate=yes\")", err)
}
