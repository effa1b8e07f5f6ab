package setup

import (
	"errors"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// StepError says which step has failed.
type StepError struct {
	// Step is a row of the step table; empty if the step is not to blame.
	Step string
	// Field is the place in config.json that is to blame, if one is.
	Field string
	Err   error
}

// Error returns "STEP: CAUSE".
func (e *StepError) Error() string {
	if e.Step == "" {
		return e.Err.Error()
	}
	return e.Step + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

// stepError returns err as the error of a step, unless a step is named already.
func stepError(step string, err error) error {
	var known *StepError
	if err == nil || errors.As(err, &known) {
		return err
	}
	e := &StepError{Step: step, Err: err}
	var field *config.FieldError
	if errors.As(err, &field) {
		e.Field = field.Field
	}
	var hook *HookError
	if errors.As(err, &hook) { // its steps are part of this one
		e.Field = hook.Field
		return e
	}
	e.Step = stepOf(err, step)
	return e
}

// AlsoFailed adds what failed afterwards to an error, which stays the one that is
// named.
func AlsoFailed(err error, more ...error) error {
	also := errors.Join(more...)
	if also == nil {
		return err
	}
	var known *StepError
	switch {
	case !errors.As(err, &known):
		return errors.Join(err, also)
	case errors.Is(also, known):
		return err // the error must not contain itself
	}
	known.Err = errors.Join(known.Err, also)
	return err
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

// HookError says which hook failed. It is the container's end.
type HookError struct {
	Field string
	Path  string // empty for a function
	Err   error
}

func (e *HookError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s: %v", e.Field, e.Err)
	}
	return fmt.Sprintf("%s: %q: %v", e.Field, e.Path, e.Err)
}

// Unwrap returns the cause.
func (e *HookError) Unwrap() error { return e.Err }

// hookStepError says which step on a hook's way into the container failed.
type hookStepError struct {
	step string
	err  error
}

func (e *hookStepError) Error() string { return e.step + ": " + e.err.Error() }

// Unwrap gives the cause.
func (e *hookStepError) Unwrap() error { return e.err }
