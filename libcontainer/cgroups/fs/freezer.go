package fs

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"golang.org/x/sys/unix"
)

// Freeze implements cgroups.Manager. Without a v1 freezer, the one that every
// v2 cgroup has is used.
func (m *Manager) Freeze(frozen bool) error {
	var err error
	switch dir := m.paths["freezer"]; {
	case dir != "" && frozen:
		err = freeze(dir, m.freezeFor)
	case dir != "":
		err = cgroups.WriteFile(dir, "freezer.state", "THAWED")
	case m.paths[""] != "":
		err = cgroups.FreezeV2(m.paths[""], frozen, m.freezeFor)
	default:
		err = fmt.Errorf("find the freezer: %w", m.absent("freezer"))
	}
	if err != nil {
		verb := "thaw"
		if frozen {
			verb = "freeze"
		}
		return fmt.Errorf("%s cgroup: %w", verb, err)
	}
	return nil
}

func freeze(dir string, limit time.Duration) error {
	if err := cgroups.WriteFile(dir, "freezer.state", "FROZEN"); err != nil {
		return err
	}
	err := awaitFrozen(dir, time.Now().Add(limit))
	if err != nil {
		// Half frozen is the worst state: nothing would ever resume it.
		err = errors.Join(err, cgroups.WriteFile(dir, "freezer.state", "THAWED"))
	}
	return err
}

func awaitFrozen(dir string, deadline time.Time) error {
	for delay := 50 * time.Microsecond; ; delay = min(2*delay, 20*time.Millisecond) {
		// There is no event for the change, only the read brings it about.
		state, err := cgroups.ReadFile(dir, "freezer.state")
		if err != nil || state == "FROZEN" {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait for %q: %w (state %s; a process in it is in an uninterruptible sleep)",
				dir+"/freezer.state", os.ErrDeadlineExceeded, state)
		}
		time.Sleep(delay)
		// Written again, the kernel asks those tasks that have not stopped
		// once more, and those forked since.
		if err := cgroups.WriteFile(dir, "freezer.state", "FROZEN"); err != nil {
			return err
		}
	}
}

// absent explains why there is no directory for a controller.
func (m *Manager) absent(controller string) error {
	if why := m.refused[controller]; why != nil {
		return fmt.Errorf("controller %q: %w: %w", controller, cgroups.ErrNoCgroup, why)
	}
	if len(m.paths) == 0 {
		return fmt.Errorf("controller %q: %w", controller, cgroups.ErrNoCgroup)
	}
	return fmt.Errorf("controller %q: no v1 hierarchy with it is mounted: %w", controller, errors.Join(errors.ErrUnsupported, unix.ENOENT))
}
