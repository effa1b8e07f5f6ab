package task

import (
	"errors"

	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"

	"github.com/berth-oci/berth/libcontainer"
)

// classes are the kinds of errors that clients tell apart.
var classes = []struct{ err, class error }{
	{libcontainer.ErrNotExist, errdefs.ErrNotFound},
	{libcontainer.ErrExist, errdefs.ErrAlreadyExists},
	{libcontainer.ErrInvalidID, errdefs.ErrInvalidArgument},
	{libcontainer.ErrInvalidSpec, errdefs.ErrInvalidArgument},
	{libcontainer.ErrInvalidState, errdefs.ErrFailedPrecondition},
	{libcontainer.ErrNotPaused, errdefs.ErrFailedPrecondition},
	{libcontainer.ErrNotRunning, errdefs.ErrFailedPrecondition},
	{errors.ErrUnsupported, errdefs.ErrNotImplemented},
}

// classified is an error with a class; its text is the error's own.
type classified struct{ err, class error }

func (c classified) Error() string   { return c.err.Error() }
func (c classified) Unwrap() []error { return []error{c.err, c.class} }

// classify adds the class that clients know to an error.
func classify(err error) error {
	for _, c := range classes {
		if errors.Is(err, c.err) {
			return classified{err, c.class}
		}
	}
	return err
}

// statusOf converts an error to the status that ttrpc sends.
func statusOf(err error) error { return errgrpc.ToGRPC(classify(err)) }
