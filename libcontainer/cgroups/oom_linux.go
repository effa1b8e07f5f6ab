package cgroups

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
)

// OOMWatch reports that the kernel killed processes of a cgroup because it was
// out of memory.
type OOMWatch struct {
	// poll is the file that has an event then: on v1 an eventfd, on v2
	// memory.events.
	poll   *os.File
	events int16
	// happened consumes the event, and reports whether it was an OOM kill.
	happened func() (bool, error)
}

// WatchOOM starts to watch the cgroup of m. The error is errors.ErrUnsupported
// if the cgroup has no memory controller.
func WatchOOM(m Manager) (*OOMWatch, error) {
	paths := m.Paths()
	if dir := paths["memory"]; dir != "" {
		return watchV1(dir)
	}
	dir := paths[""]
	counted, err := cgroupfs.Exists(dir, "memory.events")
	switch {
	case err != nil:
		return nil, fmt.Errorf("watch memory: %w", err)
	case counted:
		return watchV2(dir)
	}
	return nil, fmt.Errorf("watch memory: %w", errNoMemory())
}

// OOMKills returns the number of processes that the kernel has killed in the cgroup, and
// on v2 in those below, because of a memory limit. It reads one file, unlike Stats. The
// error is errors.ErrUnsupported if the cgroup has no memory controller, or the kernel no
// such counter (v1 before Linux 4.13).
func OOMKills(r Reader) (uint64, error) {
	paths := r.Paths()
	dir, file := paths["memory"], "memory.oom_control"
	if dir == "" {
		dir, file = paths[""], "memory.events"
	}
	n, err := eventCount(dir, file, "oom_kill")
	if err != nil {
		return 0, fmt.Errorf("count OOM kills: %w", err)
	}
	return n, nil
}

// eventCount returns the number of a key in a file of the cgroup directory dir.
func eventCount(dir, file, key string) (uint64, error) {
	if dir == "" {
		return 0, errNoMemory()
	}
	text, err := cgroupfs.ReadFile(dir, file)
	if errors.Is(err, unix.ENOENT) {
		if gone, e := cgroupfs.Gone(dir); gone || e != nil {
			return 0, errors.Join(err, e)
		}
		return 0, errNoMemory()
	}
	if err != nil {
		return 0, err
	}
	value := cgroupfs.EventIn(text, key)
	if value == "" {
		return 0, fmt.Errorf("%w (this kernel has no %q in %q)", errors.ErrUnsupported, key, file)
	}
	return cgroupfs.ParseUint(value)
}

func errNoMemory() error {
	return fmt.Errorf("%w (the cgroup has no memory controller)", errors.ErrUnsupported)
}

// Close ends the watch.
func (w *OOMWatch) Close() error { return w.poll.Close() }

// PollFd returns the argument for poll(2). When it is ready, call Happened.
func (w *OOMWatch) PollFd() unix.PollFd {
	return unix.PollFd{Fd: int32(w.poll.Fd()), Events: w.events}
}

// Happened reports whether the cgroup was out of memory since the last call, or
// since WatchOOM. It does not wait.
func (w *OOMWatch) Happened() (bool, error) {
	happened, err := w.happened()
	if cgroupfs.Vanished(err) {
		return false, nil // the cgroup was removed
	}
	return happened, err
}

// watchV1 requests events of memory.oom_control by an eventfd (kernel
// documentation, cgroup-v1/memory.rst, section 10).
func watchV1(dir string) (*OOMWatch, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch memory: eventfd: %w", err)
	}
	event := os.NewFile(uintptr(fd), "eventfd")
	control, err := cgroupfs.Open(dir, "memory.oom_control", unix.O_RDONLY)
	if err == nil {
		defer control.Close()
		err = cgroupfs.WriteFile(dir, "cgroup.event_control", fmt.Sprintf("%d %d", fd, control.Fd()))
	}
	if err != nil {
		event.Close()
		return nil, fmt.Errorf("watch memory: %w", err)
	}
	return &OOMWatch{poll: event, events: unix.POLLIN, happened: func() (bool, error) {
		count := make([]byte, 8)
		_, err := unix.Read(fd, count)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read eventfd: %w", err)
		}
		// The removal of the cgroup is an event, too.
		there, err := cgroupfs.Exists(dir, "memory.oom_control")
		return binary.NativeEndian.Uint64(count) > 0 && there, err
	}}, nil
}

// watchV2 watches memory.events. The kernel reports each change of the file as
// POLLPRI; only a higher oom_kill is an OOM kill.
func watchV2(dir string) (*OOMWatch, error) {
	f, err := cgroupfs.Open(dir, "memory.events", unix.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("watch memory: %w", err)
	}
	kills := func() (uint64, error) {
		text := make([]byte, 512)
		n, err := unix.Pread(int(f.Fd()), text, 0)
		if err != nil {
			return 0, &os.PathError{Op: "read", Path: f.Name(), Err: err}
		}
		return cgroupfs.ParseUint(cgroupfs.EventIn(string(text[:n]), "oom_kill"))
	}
	before, err := kills()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("watch memory: %w", err)
	}
	return &OOMWatch{poll: f, events: unix.POLLPRI, happened: func() (bool, error) {
		now, err := kills()
		if err != nil {
			return false, err
		}
		happened := now > before
		before = now
		return happened, nil
	}}, nil
}
