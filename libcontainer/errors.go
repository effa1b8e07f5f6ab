package libcontainer

import (
	"errors"
	"fmt"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/monitor"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// stateError is an ErrInvalidState with the status that forbids the operation.
type stateError string

func (e stateError) Error() string { return string(e) }

// Is makes it an ErrInvalidState.
func (e stateError) Is(target error) bool { return target == ErrInvalidState }

// Errors for errors.Is. The texts are runc's and must not change: engines (containerd,
// CRI-O, Podman) match them.
var (
	ErrNotExist   = state.ErrNotExist
	ErrExist      = state.ErrExist
	ErrInvalidID  = state.ErrInvalidID
	ErrNotRunning = state.ErrNotRunning
	ErrNotPaused  = errors.New("container not paused")
	// ErrInvalidSpec is in every error about the content of config.json.
	ErrInvalidSpec = config.ErrInvalid
	// ErrInvalidState means that the container's status does not allow the operation.
	ErrInvalidState = errors.New("container is in the wrong state")
	// ErrNotOwner means that the container belongs to another user.
	ErrNotOwner = state.ErrNotOwner
	// ErrNotChild means that the process is not a child of this one, so the kernel
	// reports its exit status to another process.
	ErrNotChild = monitor.ErrNotChild
)

// Error is the error of an operation on a container.
type Error struct {
	// Op is the operation: "create", "start", "delete", …
	Op string
	// ID of the container.
	ID string
	// Step is the name of the failed row of the step table; may be empty.
	Step string
	// Field is the field of config.json that caused the error; may be empty.
	Field string
	Err   error
}

// Error returns `OP "ID": STEP: CAUSE`, without the middle of a cause of more than 16 KiB.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s %q: ", e.Op, e.ID)
	if e.Step != "" {
		s += e.Step + ": "
	}
	return config.Brief(s + e.Err.Error())
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// opError adds operation and ID to an error, with its step and field.
func opError(op, id string, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	e := &Error{Op: op, ID: id, Err: err}
	var field *config.FieldError
	if errors.As(err, &field) {
		e.Field = field.Field
	}
	var step *setup.StepError
	if errors.As(err, &step) { // it includes later errors
		e.Step, e.Field, e.Err = step.Step, step.Field, step.Err
	}
	e.Err = explainDenied(e.Err)
	return e
}

// explained applies explain to the cause of an error, and keeps its step.
func explained(err error, explain func(error) error) error {
	var known *setup.StepError
	if errors.As(err, &known) {
		known.Err = explain(known.Err)
		return err
	}
	return explain(err)
}

// explainDenied explains an error if the kernel lacks a system call, or a seccomp filter
// around this process denies it.
func explainDenied(err error) error {
	if text := probe.ExplainDenied(err); text != "" {
		return fmt.Errorf("%w (%s)", err, text)
	}
	return err
}
