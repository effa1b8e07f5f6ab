package fs

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

// Freeze implements cgroups.Manager. Without a v1 freezer it uses the one that
// every v2 cgroup has.
func (m *Manager) Freeze(frozen bool) error {
	var err error
	dir := m.paths["freezer"]
	switch {
	case dir != "" && frozen:
		err = freeze(dirState(dir), m.freezeFor)
	case dir != "":
		err = dirState(dir).write("THAWED")
	case m.paths[""] != "":
		dir = m.paths[""]
		err = cgroupfs.FreezeV2(dir, frozen, m.freezeFor)
	default:
		err = fmt.Errorf("find the freezer: %w", m.absent("freezer"))
	}
	if err != nil {
		operation := "thaw"
		if frozen {
			operation = "freeze"
		}
		return fmt.Errorf("%s cgroup %q: %w", operation, dir, err)
	}
	return nil
}

// stateFile is freezer.state.
type stateFile interface {
	read() (string, error)
	write(string) error
}

type dirState string

func (d dirState) read() (string, error) { return cgroupfs.ReadFile(string(d), "freezer.state") }
func (d dirState) write(state string) error {
	return cgroupfs.WriteFile(string(d), "freezer.state", state)
}

func freeze(f stateFile, limit time.Duration) error {
	if err := f.write("FROZEN"); err != nil {
		return err
	}
	err := awaitFrozen(f, time.Now().Add(limit))
	if err != nil {
		// A cgroup that is freezing must be thawed: no one would resume it.
		err = errors.Join(err, f.write("THAWED"))
	}
	return err
}

func awaitFrozen(f stateFile, deadline time.Time) error {
	for delay := 50 * time.Microsecond; ; delay = min(2*delay, 20*time.Millisecond) {
		// The kernel has no event for the change; the read updates the state.
		state, err := f.read()
		if err != nil || state == "FROZEN" {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait until frozen: %w (state %s; a process in it is in an uninterruptible sleep)", os.ErrDeadlineExceeded, state)
		}
		time.Sleep(delay)
		// After another write, the kernel also freezes tasks that have not
		// stopped yet or were forked since.
		if err := f.write("FROZEN"); err != nil {
			return err
		}
	}
}

// absent returns the reason why a controller has no directory.
func (m *Manager) absent(controller string) error {
	if why := m.refused[controller]; why != nil {
		return fmt.Errorf("controller %q: %w: %w", controller, cgroups.ErrNoCgroup, why)
	}
	if len(m.paths) == 0 {
		return fmt.Errorf("controller %q: %w", controller, cgroups.ErrNoCgroup)
	}
	return cgroupfs.Missing("controller %q: no v1 hierarchy with it is mounted", controller)
}
