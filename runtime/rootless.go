package ociruntime

import (
	"os"

	"github.com/berth-oci/berth/internal/probe"
)

// Unprivileged reports whether this process is to be taken for an unprivileged
// user's, as Options.Rootless says: it is not root, or root of a user namespace
// that a user has made, as Podman does. The root of a container with a systemd
// of its own, as LXD makes them, is none such for that.
func Unprivileged(systemdCgroup bool) bool {
	return os.Geteuid() != 0 || probe.InUserNamespace() && !(systemdCgroup && firstIsNear())
}

// firstIsNear tells whether process 1 is in this process's user namespace. That
// of another one cannot even be looked at.
func firstIsNear() bool {
	own, err := os.Readlink("/proc/self/ns/user")
	if err != nil {
		return false
	}
	first, err := os.Readlink("/proc/1/ns/user")
	return err == nil && first == own
}
