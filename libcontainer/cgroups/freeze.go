package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// event returns the value of a key in cgroup.events of the v2 cgroup dir.
func event(dir, key string) (string, error) {
	s, err := ReadFile(dir, "cgroup.events")
	if err != nil {
		return "", err
	}
	return eventIn(s, key), nil
}

func eventIn(events, key string) string {
	for line := range strings.Lines(events) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		if k == key {
			return v
		}
	}
	return ""
}

// WaitEvent waits until the key in cgroup.events of the v2 cgroup dir has the
// value, no longer than the deadline: then the error is os.ErrDeadlineExceeded.
func WaitEvent(dir, key, value string, deadline time.Time) error {
	f, err := Open(dir, "cgroup.events", unix.O_RDONLY)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 512)
	for {
		n, err := unix.Pread(int(f.Fd()), buf, 0)
		if err != nil && err != unix.EINTR {
			return &fs.PathError{Op: "read", Path: f.Name(), Err: err}
		}
		if n > 0 && eventIn(string(buf[:n]), key) == value {
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("wait for %q %s in %q: %w", key, value, f.Name(), os.ErrDeadlineExceeded)
		}
		// The kernel reports a change of the file as POLLPRI, since the last
		// read of this open file.
		fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(fds, int(left.Milliseconds())+1); err != nil && err != unix.EINTR {
			return fmt.Errorf("poll %q: %w", f.Name(), err)
		}
	}
}

// FrozenV1 reports whether the v1 freezer cgroup dir is frozen, or about to be,
// by its own state or an ancestor's. One that does not exist is not.
func FrozenV1(dir string) (bool, error) {
	s, err := ReadFile(dir, "freezer.state")
	if vanished(err) {
		return false, nil
	}
	return err == nil && s != "THAWED", err
}

// FrozenV2 reports whether all of the v2 cgroup dir is frozen, by its own
// setting or by an ancestor's. One that does not exist is not.
func FrozenV2(dir string) (bool, error) {
	s, err := event(dir, "frozen")
	if vanished(err) {
		return false, nil
	}
	return s == "1", err
}

// Frozen reports whether the cgroup of m is frozen. On a host with a v1 freezer
// that one decides, as it is the one that Freeze uses.
func Frozen(m Manager) (bool, error) {
	paths := m.Paths()
	if dir := paths["freezer"]; dir != "" {
		return FrozenV1(dir)
	}
	if dir := paths[""]; dir != "" {
		return FrozenV2(dir)
	}
	return false, nil
}

// Kill sends a signal to every process of the cgroup of m and of those below.
// SIGKILL reaches also those that a fork bomb makes meanwhile, and those in a
// frozen cgroup, which is thawed for that on v1. It does not wait for their
// end.
func Kill(m Manager, sig unix.Signal) error {
	paths := m.Paths()
	if len(paths) == 0 {
		return fmt.Errorf("kill processes: %w", ErrNoCgroup)
	}
	for _, dir := range paths {
		if IsRoot(dir) {
			return fmt.Errorf("kill cgroup %q: %w (it is the root of the hierarchy)", dir, unix.EPERM)
		}
	}
	if v2 := paths[""]; sig == unix.SIGKILL && v2 != "" {
		err := WriteFile(v2, "cgroup.kill", "1") // since Linux 5.14
		if err == nil && len(paths) == 1 {
			return nil
		}
		if err != nil && !vanished(err) && !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
	}
	return killEach(m, sig)
}

// killEach signals one process after the other. Those in a cgroup that is not
// frozen could fork faster than that, so it freezes before.
func killEach(m Manager, sig unix.Signal) error {
	wasFrozen, err := Frozen(m)
	if err != nil {
		return err
	}
	ferr := error(nil)
	if !wasFrozen {
		// A process in an uninterruptible sleep can keep a cgroup from
		// freezing. The signals are sent all the same.
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

// Thaw lets processes that were killed end: it thaws the cgroup of m and, on v1,
// those below, which the container can have frozen by themselves. In a frozen v2
// cgroup a killed process ends without that. A cgroup that is gone needs no
// thawing.
func Thaw(m Manager) error {
	dir := m.Paths()["freezer"]
	if dir == "" {
		frozen, err := Frozen(m)
		if err != nil || !frozen {
			return err
		}
		err = m.Freeze(false)
		if vanished(err) {
			return nil
		}
		return err
	}
	err := walk(dir, func(d string) error { return WriteFile(d, "freezer.state", "THAWED") })
	if vanished(err) {
		return nil
	}
	return err
}

// signalAtOnce is how many processes are held by a descriptor at a time.
const signalAtOnce = 128

func signalAll(m Manager, sig unix.Signal) error {
	pids, err := m.Processes()
	if vanished(err) {
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

// signalSome signals processes that were in the cgroup. A number can be
// somebody else's by now: what it stands for is held, and the cgroup asked once
// more.
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
		case err != unix.ESRCH && err != unix.EINVAL && err != unix.ENOENT: // it has ended, or is a thread of one that is listed, too
			errs = append(errs, fmt.Errorf("pidfd_open %d: %w", pid, err))
		}
	}
	now, err := m.Processes()
	if err != nil && !vanished(err) {
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

// FreezeV2 freezes or thaws the v2 cgroup dir and waits until it is so, no
// longer than limit. When freezing fails it has thawed. Thawing does not wait
// for a cgroup that one above keeps frozen.
func FreezeV2(dir string, frozen bool, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	if !frozen {
		if err := WriteFile(dir, "cgroup.freeze", "0"); err != nil || frozenAbove(dir) {
			return err
		}
		return WaitEvent(dir, "frozen", "0", deadline)
	}
	if err := WriteFile(dir, "cgroup.freeze", "1"); err != nil {
		return err
	}
	err := WaitEvent(dir, "frozen", "1", deadline)
	if err != nil {
		// Half frozen is the worst state: nothing would ever resume it.
		err = errors.Join(err, WriteFile(dir, "cgroup.freeze", "0"))
	}
	return err
}

// frozenAbove reports whether a cgroup above dir is set to be frozen.
func frozenAbove(dir string) bool {
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		s, err := ReadFile(parent, "cgroup.freeze")
		if err != nil {
			return false // past the root of the hierarchy, which has none
		}
		if s == "1" {
			return true
		}
	}
	return false
}
