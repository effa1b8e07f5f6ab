// Package state reads and writes the directory of a container below the state root:
// the state file, the saved configuration, the lock and the sockets. It also finds the
// container's init, by process ID and start time. The status is not saved: package
// libcontainer derives it each time.
package state
