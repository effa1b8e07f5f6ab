package hooks

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// killTree kills the process, which leads a session, its descendants, and who
// else is in its session. All are stopped first: what cannot run cannot fork
// while the rest is looked for. A descendant that has left the session and
// whose parent has ended belongs to nobody any more, and is not found.
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

// kill kills a process; one that has ended is no error.
func kill(pidfd *os.File) error {
	err := unix.PidfdSendSignal(int(pidfd.Fd()), unix.SIGKILL, nil, 0)
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("kill: %w", err)
	}
	return nil
}

// stopMore stops every process that is a child of one in found, or in the
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

// belongs reports whether a process is one that stopMore is after.
func belongs(found map[int]*os.File, leader, pid int) bool {
	parent, session, ok := lineage(pid)
	return ok && (found[parent] != nil || session == leader)
}

// lineage reads the parent and the session of a process (proc_pid_stat(5)).
func lineage(pid int) (parent, session int, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, false // it has ended
	}
	// The name, in parentheses, may hold anything; behind it stand the state,
	// the parent, the process group and the session.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 4 {
		return 0, 0, false
	}
	parent, errParent := strconv.Atoi(string(fields[1]))
	session, errSession := strconv.Atoi(string(fields[3]))
	return parent, session, errParent == nil && errSession == nil
}

// stop stops a process and adds it to found. The leader is not yet reaped, so
// its number is its own; that of any other is looked at once more behind
// pidfd_open, by which time it could be of someone else.
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
