package cgroupfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Event returns the value of a key in cgroup.events of the v2 cgroup dir; "" if
// the file does not have the key.
func Event(dir, key string) (string, error) {
	s, err := ReadFile(dir, "cgroup.events")
	if err != nil {
		return "", err
	}
	return EventIn(s, key), nil
}

// EventIn returns the value of a key in the text of cgroup.events or
// memory.events; "" if it does not have the key.
func EventIn(events, key string) string {
	for line := range strings.Lines(events) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), " ")
		if k == key {
			return v
		}
	}
	return ""
}

// WaitEvent waits until the key in cgroup.events of the v2 cgroup dir has the
// value. After the deadline it returns os.ErrDeadlineExceeded.
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
		if n > 0 && EventIn(string(buf[:n]), key) == value {
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("wait for %q %s in %q: %w", key, value, f.Name(), os.ErrDeadlineExceeded)
		}
		// The kernel reports a change since the last read of this open file as
		// POLLPRI.
		fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(fds, int(left.Milliseconds())+1); err != nil && err != unix.EINTR {
			return fmt.Errorf("poll %q: %w", f.Name(), err)
		}
	}
}

// FrozenV1 reports whether the v1 freezer cgroup dir is frozen or freezing, by
// its own state or an ancestor's. A cgroup that does not exist is not frozen.
func FrozenV1(dir string) (bool, error) {
	s, err := ReadFile(dir, "freezer.state")
	if Vanished(err) {
		return false, nil
	}
	return err == nil && s != "THAWED", err
}

// FrozenV2 reports whether the v2 cgroup dir is completely frozen, by its own
// setting or an ancestor's. A cgroup that does not exist is not frozen.
func FrozenV2(dir string) (bool, error) {
	s, err := Event(dir, "frozen")
	if Vanished(err) {
		return false, nil
	}
	return s == "1", err
}

// FreezeV2 freezes or thaws the v2 cgroup dir, and waits at most limit until
// the kernel reports it. When it cannot freeze the cgroup, it thaws it. It does
// not wait for a thaw while an ancestor is frozen.
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
		// A cgroup that is freezing must be thawed: no one would resume it.
		err = errors.Join(err, WriteFile(dir, "cgroup.freeze", "0"))
	}
	return err
}

// frozenAbove reports whether a cgroup above dir is set to be frozen.
func frozenAbove(dir string) bool {
	for parent := filepath.Dir(dir); parent != dir; dir, parent = parent, filepath.Dir(parent) {
		s, err := ReadFile(parent, "cgroup.freeze")
		if err != nil {
			return false // above the root of the hierarchy, which does not have the file
		}
		if s == "1" {
			return true
		}
	}
	return false
}
