package cgroups

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
)

// Frozen reports whether the cgroup of m is frozen. On a host with a v1 freezer
// it reads that one, because Freeze uses it.
func Frozen(m Manager) (bool, error) {
	paths := m.Paths()
	if dir := paths["freezer"]; dir != "" {
		return cgroupfs.FrozenV1(dir)
	}
	if dir := paths[""]; dir != "" {
		return cgroupfs.FrozenV2(dir)
	}
	return false, nil
}

// Kill sends a signal to every process of the cgroup of m and of the cgroups
// below. SIGKILL also reaches processes that a fork bomb makes meanwhile, and
// processes in a frozen cgroup: on v1 Kill thaws it. Kill does not wait until
// the processes have ended.
func Kill(m Manager, sig unix.Signal) error {
	paths := m.Paths()
	if len(paths) == 0 {
		return fmt.Errorf("kill processes: %w", ErrNoCgroup)
	}
	for _, dir := range paths {
		if err := cgroupfs.CheckNotRoot("kill", dir); err != nil {
			return err
		}
	}
	if v2 := paths[""]; sig == unix.SIGKILL && v2 != "" {
		err := cgroupfs.WriteFile(v2, "cgroup.kill", "1") // since Linux 5.14
		if err == nil && len(paths) == 1 {
			return nil
		}
		if err != nil && !cgroupfs.Vanished(err) && !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
	}
	return killEach(m, sig)
}

// killEach signals one process after the other. Processes that are not frozen
// could fork faster than that, so killEach freezes the cgroup first.
func killEach(m Manager, sig unix.Signal) error {
	wasFrozen, err := Frozen(m)
	if err != nil {
		return err
	}
	ferr := error(nil)
	if !wasFrozen {
		// A process in an uninterruptible sleep can keep a cgroup from
		// freezing. Send the signals nevertheless.
		ferr = m.Freeze(true)
	}
	err = signalAll(m, sig)
	switch {
	case sig == unix.SIGKILL:
		err = errors.Join(err, Thaw(m))
	case !wasFrozen && ferr == nil:
		err = errors.Join(err, m.Freeze(false))
	}
	return err
}

// Thaw lets killed processes end: it thaws the cgroup of m and, on v1, the
// cgroups below, which the container may have frozen itself. In a frozen v2
// cgroup a killed process ends without Thaw. A cgroup that was removed is not
// an error.
func Thaw(m Manager) error {
	dir := m.Paths()["freezer"]
	if dir == "" {
		frozen, err := Frozen(m)
		if err != nil || !frozen {
			return err
		}
		err = m.Freeze(false)
		if cgroupfs.Vanished(err) {
			return nil
		}
		return err
	}
	err := cgroupfs.Walk(dir, func(d string) error { return cgroupfs.WriteFile(d, "freezer.state", "THAWED") })
	if cgroupfs.Vanished(err) {
		return nil
	}
	return err
}

// signalAtOnce is the number of processes that signalAll opens at a time.
const signalAtOnce = 128

func signalAll(m Manager, sig unix.Signal) error {
	pids, err := m.Processes()
	if cgroupfs.Vanished(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for some := range slices.Chunk(pids, signalAtOnce) {
		errs = append(errs, signalSome(m, some, sig))
	}
	return errors.Join(errs...)
}

// signalSome signals processes that were in the cgroup. The kernel may have
// given a pid to another process since: signalSome opens pidfds first, reads
// the list of the cgroup again, and signals only what is in both.
func signalSome(m Manager, pids []int, sig unix.Signal) error {
	held := make(map[int]int, len(pids))
	defer func() {
		for _, fd := range held {
			unix.Close(fd)
		}
	}()
	var errs []error
	for _, pid := range pids {
		if pid == 0 {
			errs = append(errs, fmt.Errorf("kill processes of %q: %w (they are in a pid namespace that is not visible from here)", m.Paths(), unix.ESRCH))
			continue
		}
		fd, err := unix.PidfdOpen(pid, 0)
		switch {
		case err == nil:
			held[pid] = fd
		case err != unix.ESRCH && err != unix.EINVAL && err != unix.ENOENT: // ended, or a thread of a process that is in the list, too
			errs = append(errs, fmt.Errorf("pidfd_open %d: %w", pid, err))
		}
	}
	now, err := m.Processes()
	if err != nil && !cgroupfs.Vanished(err) {
		errs = append(errs, err)
	}
	for _, pid := range now {
		fd, ok := held[pid]
		if !ok {
			continue
		}
		if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && err != unix.ESRCH {
			errs = append(errs, fmt.Errorf("kill %d: %w", pid, err))
		}
	}
	return errors.Join(errs...)
}
