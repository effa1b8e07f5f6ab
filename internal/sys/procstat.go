package sys

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// ProcStat has fields of /proc/PID/stat (proc_pid_stat(5)).
type ProcStat struct {
	// Name is the name of the command (PR_SET_NAME), of any bytes.
	Name string
	// State is a letter: R, S, D, Z, …
	State byte
	// Parent and Session are process IDs, 0 outside of the pid namespace of /proc. Session
	// is -1 for a process that is just being reaped, in state X.
	Parent, Session int
	// Exiting means that the process never returns to user mode (PF_EXITING).
	Exiting bool
	// CPU is the time that the process and its reaped children have used, in clock ticks.
	CPU uint64
	// StartTime is in clock ticks after boot.
	StartTime uint64
	// HasMemory is false from exit_mm() on, in a zombie too.
	HasMemory bool
	// Status is the wait status of a zombie; 0 also if the caller may not see it.
	Status unix.WaitStatus
}

// ReadProcStat reads /proc/PID/stat. The error is ENOENT or ESRCH if the process does not
// exist.
func ReadProcStat(pid int) (ProcStat, error) {
	path := "/proc/" + strconv.Itoa(pid) + "/stat"
	text, err := ReadFile(path)
	if err != nil {
		return ProcStat{}, err
	}
	p, err := parseProcStat(text)
	if err != nil {
		return ProcStat{}, fmt.Errorf("read %s: %w: %q", path, err, text)
	}
	return p, nil
}

// parseProcStat parses the text of /proc/PID/stat. The name, in parentheses, may have
// parentheses itself. The fields are counted from the first one after the name.
func parseProcStat(text []byte) (p ProcStat, err error) {
	const exiting = 0x4 // PF_EXITING (linux/sched.h)
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if begin < 0 || end < begin {
		return p, errors.New("no name of a command")
	}
	p.Name = string(text[begin+1 : end])
	number := func(field []byte) uint64 {
		value, e := strconv.ParseUint(string(field), 10, 64)
		err = errors.Join(err, e)
		return value
	}
	id := func(field []byte) int {
		value, e := strconv.Atoi(string(field))
		err = errors.Join(err, e)
		return value
	}
	n := 0
	for field := range bytes.FieldsSeq(text[end+1:]) {
		switch n++; n {
		case 1:
			p.State = field[0]
		case 2:
			p.Parent = id(field)
		case 4:
			p.Session = id(field)
		case 7:
			p.Exiting = number(field)&exiting != 0
		case 12, 13, 14, 15:
			p.CPU += number(field)
		case 20:
			p.StartTime = number(field)
		case 21:
			p.HasMemory = number(field) != 0
		case 50:
			p.Status = unix.WaitStatus(number(field))
		}
	}
	if n < 50 {
		err = errors.Join(err, fmt.Errorf("%d fields after the name, at least 50 expected", n))
	}
	return p, err
}
