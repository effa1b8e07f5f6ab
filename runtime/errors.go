package ociruntime

import (
	"errors"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
)

// OutputError is the error of Wait if the program has ended, but not all of its output
// was copied: a writer has failed, ctx has ended before, or ErrWaitDelay. The status that
// Wait returns with it is valid.
type OutputError struct{ Err error }

// Error returns the text of the errors of the writers or files.
func (e *OutputError) Error() string { return e.Err.Error() }

// Unwrap returns the errors of the writers or files.
func (e *OutputError) Unwrap() error { return e.Err }

// errorOf wraps an error from before the container or process existed in a
// libcontainer.Error, unless it is one.
func errorOf(op, id string, err error) error {
	var known *libcontainer.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	e := &libcontainer.Error{Op: op, ID: id, Err: err}
	var field *config.FieldError
	if errors.As(err, &field) {
		e.Field = field.Field
	}
	return e
}
