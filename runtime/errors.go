package ociruntime

import (
	"errors"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
)

// OutputError is what Wait gives when the program has ended, but what it wrote
// could not all be passed on. The status that comes with it holds.
type OutputError struct{ Err error }

// Error gives the text of what the writers, or files, said.
func (e *OutputError) Error() string { return e.Err.Error() }

// Unwrap gives what the writers, or files, said.
func (e *OutputError) Unwrap() error { return e.Err }

// errorOf makes a libcontainer.Error of one that is not: it was found before
// there was a container, or a process, to work on.
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
