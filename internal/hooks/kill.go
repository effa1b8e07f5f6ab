package hooks

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// killTree kills a session leader, its descendants, and all other processes of
// its session. It first stops all of them, so that they cannot fork during the
// search. It does not find a descendant that has left the session if its
// parent has ended too.
func killTree(leader int) error {
	found := map[int]*os.File{}
	defer func() {
		for _, pidfd := range found {
			pidfd.Close()
		}
	}()
	if err := stop(found, leader, leader); err != nil {
		return err
	}
	for {
		before := len(found)
		if err := stopMore(found, leader); err != nil {
			return err
		}
		if len(found) == before {
			break
		}
	}
	var err error
	for _, pidfd := range found {
		err = errors.Join(err, kill(pidfd))
	}
	return err
}

// kill kills a process. It succeeds if the process has ended.
func kill(pidfd *os.File) error {
	err := unix.PidfdSendSignal(int(pidfd.Fd()), unix.SIGKILL, nil, 0)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill: %w", err)
	}
	return nil
}

// stopMore stops every child of a process in found and every process of the
// leader's session, and adds it to found.
func stopMore(found map[int]*os.File, leader int) error {
	proc, err := os.Open("/proc")
	if err != nil {
		return err
	}
	defer proc.Close()
	names, err := proc.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || found[pid] != nil || !belongs(found, leader, pid) {
			continue
		}
		if err := stop(found, leader, pid); err != nil {
			return err
		}
	}
	return nil
}

// belongs reports whether stopMore must stop a process.
func belongs(found map[int]*os.File, leader, pid int) bool {
	p, err := sys.ReadProcStat(pid)
	return err == nil && (found[p.Parent] != nil || p.Session == leader) // an error: it has ended
}

// stop stops a process and adds it to found. The leader is not yet reaped, so
// its PID cannot be reused. Any other PID could have been reused before
// pidfd_open, so stop checks again afterwards that the process belongs.
func stop(found map[int]*os.File, leader, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	if pid != leader && !belongs(found, leader, pid) {
		return pidfd.Close()
	}
	err = unix.PidfdSendSignal(fd, unix.SIGSTOP, nil, 0)
	if errors.Is(err, unix.ESRCH) {
		return pidfd.Close()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("stop process %d: %w", pid, err), pidfd.Close())
	}
	found[pid] = pidfd
	return nil
}
