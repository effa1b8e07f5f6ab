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

// stateError says how a container's status forbids what was asked for; it is
// an ErrInvalidState.
type stateError string

func (e stateError) Error() string { return string(e) }

// Is makes it an ErrInvalidState.
func (e stateError) Is(target error) bool { return target == ErrInvalidState }

// Errors that callers branch on. Their texts are matched by engines
// (containerd, CRI-O, Podman), which know them from runc: they must stay.
var (
	ErrNotExist   = state.ErrNotExist
	ErrExist      = state.ErrExist
	ErrInvalidID  = state.ErrInvalidID
	ErrNotRunning = state.ErrNotRunning
	ErrNotPaused  = errors.New("container not paused")
	// ErrInvalidSpec is found in every error about the content of config.json.
	ErrInvalidSpec = config.ErrInvalid
	// ErrInvalidState means that the container's status does not allow the operation.
	ErrInvalidState = errors.New("container is in the wrong state")
	// ErrNotOwner means that the container belongs to another user.
	ErrNotOwner = state.ErrNotOwner
	// ErrNotChild means that the kernel reports a process's exit status to another
	// process.
	ErrNotChild = monitor.ErrNotChild
)

// Error is what failed, and where.
type Error struct {
	// Op is the verb: "create", "start", "delete", …
	Op string
	// ID of the container.
	ID string
	// Step is the row of the step table, empty outside of it.
	Step string
	// Field is the place in config.json, where one is to blame.
	Field string
	Err   error
}

// Error gives `OP "ID": STEP: CAUSE`.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s %q: ", e.Op, e.ID)
	if e.Step != "" {
		s += e.Step + ": "
	}
	return s + e.Err.Error()
}

// Unwrap gives the cause.
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
	if errors.As(err, &step) { // what failed later is part of it
		e.Step, e.Field, e.Err = step.Step, step.Field, step.Err
	}
	e.Err = explainDenied(e.Err)
	return e
}

// explained adds to the cause of an error, behind the names of command and step.
func explained(err error, explain func(error) error) error {
	var known *setup.StepError
	if errors.As(err, &known) {
		known.Err = explain(known.Err)
		return err
	}
	return explain(err)
}

// explainDenied adds to an error that the kernel, or a seccomp filter around this
// process, lacks system calls.
func explainDenied(err error) error {
	if text := probe.ExplainDenied(err); text != "" {
		return fmt.Errorf("%w (%s)", err, text)
	}
	return err
}
