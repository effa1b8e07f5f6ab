package ociruntime

import (
	"os"

	"github.com/berth-oci/berth/internal/probe"
)

// Unprivileged reports whether this process counts as an unprivileged user's, for
// Options.Rootless: it is not root, or it is root in a user namespace that a user has
// made, as Podman does. With systemdCgroup, root in a container with its own systemd,
// as LXD makes them, counts as privileged.
func Unprivileged(systemdCgroup bool) bool {
	return os.Geteuid() != 0 || probe.InUserNamespace() && !(systemdCgroup && ownInit())
}

// ownInit reports whether process 1 is in this process's user namespace. The link of a
// process in a parent user namespace cannot be read.
func ownInit() bool {
	own, err := os.Readlink("/proc/self/ns/user")
	if err != nil {
		return false
	}
	first, err := os.Readlink("/proc/1/ns/user")
	return err == nil && first == own
}
