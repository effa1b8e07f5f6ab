// Package state keeps what is known of a container on disk: its state file, its
// saved configuration, the lock on its directory, the sockets in it, and which
// process is its init. A container's status is not saved: it is derived each time.
package state
