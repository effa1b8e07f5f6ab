package state

import "errors"

// Errors that libcontainer exports for its callers. The texts are runc's, which engines
// (containerd, CRI-O, Podman) match.
var (
	ErrNotExist   = errors.New("container does not exist")
	ErrExist      = errors.New("container with given ID already exists")
	ErrInvalidID  = errors.New("invalid container ID format")
	ErrNotRunning = errors.New("container not running")
	ErrNotOwner   = errors.New("the container belongs to another user")
)
