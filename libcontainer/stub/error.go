package stub

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrGone means that the stub's process ended in the middle of a batch: it was
// killed by another process, or OOM-killed.
var ErrGone = errors.New("container process ended unexpectedly")

// Error is a remote system call that failed.
type Error struct {
	// Step is the row of the step table, Label the purpose of the call; both
	// may be empty. Step is not in the message: the caller adds it.
	Step  string
	Label string
	// Call is the name of the system call, Args its arguments as strace(1)
	// would print them.
	Call string
	Args string
	// Index is the call's number among all queued calls, from 0.
	Index int
	// Errno is the kernel's result; 0 if the call has no result, for the reason
	// in Err.
	Errno unix.Errno
	Err   error
	// Remedy is a hint for the user; it may be empty.
	Remedy string
}

// at describes which call has failed.
func (e *Error) at(o *op, index int) {
	e.Step, e.Label, e.Call, e.Args, e.Index = o.step, o.label, o.name, o.format(), index
	if o.remedy != nil && e.Errno != 0 {
		e.Remedy = o.remedy(e.Errno)
	}
}

// Error returns "LABEL: CALL: ERRNO (text)".
func (e *Error) Error() string {
	s := e.Call + ": "
	if e.Label != "" {
		s = e.Label + ": " + s
	}
	if e.Errno == 0 {
		return s + e.Err.Error()
	}
	s = fmt.Sprintf("%s%s (%s)", s, e.Errno.Error(), unix.ErrnoName(e.Errno))
	if e.Remedy != "" {
		s += " (" + e.Remedy + ")"
	}
	return s
}

// Unwrap returns the errno, so that errors.Is(err, unix.EPERM) holds.
func (e *Error) Unwrap() error {
	if e.Errno != 0 {
		return e.Errno
	}
	return e.Err
}
