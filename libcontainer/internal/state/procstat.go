package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Process has fields of /proc/PID/stat (proc_pid_stat(5)).
type Process struct {
	// State is a letter: R, S, D, Z, …
	State byte
	// Exiting means that the process never returns to user mode (PF_EXITING).
	Exiting bool
	// StartTime is in clock ticks after boot.
	StartTime uint64
}

// ReadProcess reads /proc/PID/stat. For a process that does not exist State is X.
func ReadProcess(pid int) (Process, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return Process{State: 'X'}, nil
	}
	if err != nil {
		return Process{}, err
	}
	// The command name in parentheses may have any bytes. Of the fields after it, the
	// first is the state, the 7th the flags, the 20th the start time.
	end := bytes.LastIndexByte(text, ')')
	fields := bytes.Fields(text[end+1:])
	if end < 0 || len(fields) < 20 {
		return Process{}, fmt.Errorf("read /proc/%d/stat: %q", pid, text)
	}
	const exiting = 0x4 // PF_EXITING (linux/sched.h)
	flags, err := strconv.ParseUint(string(fields[6]), 10, 64)
	ticks, e := strconv.ParseUint(string(fields[19]), 10, 64)
	return Process{fields[0][0], flags&exiting != 0, ticks}, errors.Join(err, e)
}

// StartTimeOf returns the start time of a process in clock ticks after boot, and
// whether it is alive. A zombie is not alive.
func StartTimeOf(pid int) (ticks uint64, alive bool, err error) {
	p, err := ReadProcess(pid)
	return p.StartTime, err == nil && p.State != 'Z' && p.State != 'X', err
}
