package state

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// ReadProcess reads /proc/PID/stat. For a process that does not exist State is X.
func ReadProcess(pid int) (sys.ProcStat, error) {
	p, err := sys.ReadProcStat(pid)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return sys.ProcStat{State: 'X'}, nil
	}
	return p, err
}

// StartTimeOf returns the start time of a process in clock ticks after boot, and
// whether it is alive. A zombie is not alive.
func StartTimeOf(pid int) (ticks uint64, alive bool, err error) {
	p, err := ReadProcess(pid)
	return p.StartTime, err == nil && p.State != 'Z' && p.State != 'X', err
}
