package libcontainer

import (
	"errors"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Errors that callers branch on. Their texts are matched by engines
// (containerd, CRI-O, Podman), which know them from runc: they must stay.
var (
	ErrNotExist   = errors.New("container does not exist")
	ErrExist      = errors.New("container with given ID already exists")
	ErrInvalidID  = errors.New("invalid container ID format")
	ErrNotRunning = errors.New("container not running")
	ErrNotPaused  = errors.New("container not paused")
	// ErrInvalidSpec is found in every error about the content of config.json.
	ErrInvalidSpec = config.ErrInvalid
	// ErrInvalidState means that the container's status does not allow what
	// was asked for.
	ErrInvalidState = errors.New("container is in the wrong state")
	// ErrNotOwner means that the container is another user's.
	ErrNotOwner = errors.New("the container belongs to another user")
	// ErrNotChild means that a process's exit status is not the caller's to
	// know.
	ErrNotChild = errors.New("not a child of this process")
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

// opError adds verb and id to an error, and what it can find of step and
// field.
func opError(op, id, step string, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	e := &Error{Op: op, ID: id, Step: step, Err: explainDenied(err)}
	var field *config.FieldError
	if errors.As(err, &field) {
		e.Field = field.Field
	}
	var hook *hookError
	if errors.As(err, &hook) { // its steps are part of another
		e.Field = hook.field
		return e
	}
	e.Step = stepOf(err, step)
	return e
}

// stepOf returns the step that the calls of an error were queued in, else step.
func stepOf(err error, step string) string {
	var call *stub.Error
	if errors.As(err, &call) && call.Step != "" {
		return call.Step
	}
	var check *stub.CheckError
	if errors.As(err, &check) && check.Step != "" {
		return check.Step
	}
	return step
}
