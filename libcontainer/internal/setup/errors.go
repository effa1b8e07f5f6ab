package setup

import (
	"errors"
	"fmt"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// StepError is the error of a step.
type StepError struct {
	// Step is the name of the row; empty if the failure has nothing to do with it.
	Step string
	// Field is the field of config.json that caused the error; may be empty.
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

// stepError returns err as a *StepError of step, unless it already contains one.
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
	if errors.As(err, &hook) { // the hook's own steps are part of this step
		e.Field = hook.Field
		return e
	}
	e.Step = stepOf(err, step)
	return e
}

// AlsoFailed adds later errors to err, and keeps the step of err.
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

// stepOf returns the step that queued the failed call; step if err is not of a call.
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

// HookError is the failure of a hook, which ends the container.
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

// hookStepError is the failure of a step that prepares a hook in the container.
type hookStepError struct {
	step string
	err  error
}

func (e *hookStepError) Error() string { return e.step + ": " + e.err.Error() }

// Unwrap returns the cause.
func (e *hookStepError) Unwrap() error { return e.err }
