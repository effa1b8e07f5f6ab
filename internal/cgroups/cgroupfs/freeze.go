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

// Event returns the value of a key in cgroup.events of the v2 cgroup dir.
func Event(dir, key string) (string, error) {
	s, err := ReadFile(dir, "cgroup.events")
	if err != nil {
		return "", err
	}
	return EventIn(s, key), nil
}

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
		if n > 0 && EventIn(string(buf[:n]), key) == value {
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
	if Vanished(err) {
		return false, nil
	}
	return err == nil && s != "THAWED", err
}

// FrozenV2 reports whether all of the v2 cgroup dir is frozen, by its own
// setting or by an ancestor's. One that does not exist is not.
func FrozenV2(dir string) (bool, error) {
	s, err := Event(dir, "frozen")
	if Vanished(err) {
		return false, nil
	}
	return s == "1", err
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
