// Package manager starts shims, and cleans up for shims that were killed.
package manager

// Name is the runtime type.
const Name = "io.containerd.berth.v2"

// Manager implements containerd's shim.Manager.
type Manager struct {
	version, commit string
}

// New returns a Manager that reports a version of berth.
func New(version, commit string) *Manager {
	return &Manager{version: version, commit: commit}
}

// Name returns the runtime type.
func (*Manager) Name() string { return Name }
