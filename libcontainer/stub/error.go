package stub

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrGone says that the stub's process ended in the middle of a batch: it was
// killed, from outside or by the kernel for want of memory.
var ErrGone = errors.New("container process ended unexpectedly")

// Error is a remote system call that failed.
type Error struct {
	// Step is the row of the step table, Label what the call was for; both
	// may be empty. Step is not in the message: the caller puts it there.
	Step  string
	Label string
	// Call is the name of the system call, Args its arguments as strace(1)
	// would print them.
	Call string
	Args string
	// Index is the call's number among all that were queued, from 0.
	Index int
	// Errno is the kernel's answer, 0 if Err says why there is none.
	Errno unix.Errno
	Err   error
	// Remedy says what can be done about it; it may be empty.
	Remedy string
}

// at says which call it is that has failed.
func (e *Error) at(o *op, index int) {
	e.Step, e.Label, e.Call, e.Args, e.Index = o.step, o.label, o.name, o.format(), index
	if o.remedy != nil && e.Errno != 0 {
		e.Remedy = o.remedy(e.Errno)
	}
}

// Error gives "LABEL: CALL: ERRNO (text)".
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

// Unwrap gives the errno, so that errors.Is(err, unix.EPERM) holds.
func (e *Error) Unwrap() error {
	if e.Errno != 0 {
		return e.Errno
	}
	return e.Err
}
