package state

import "errors"

// Errors that callers of libcontainer branch on, who know them from there. Engines
// (containerd, CRI-O, Podman) match their texts, which are runc's.
var (
	ErrNotExist   = errors.New("container does not exist")
	ErrExist      = errors.New("container with given ID already exists")
	ErrInvalidID  = errors.New("invalid container ID format")
	ErrNotRunning = errors.New("container not running")
	ErrNotOwner   = errors.New("the container belongs to another user")
)
