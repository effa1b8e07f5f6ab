package state

// SharedRoot is the mount that such a container has as root. All of its other
// mounts are on it. It is in the state before it is attached.
type SharedRoot struct {
	// ID of the mount, and of the one that it is on. Mount IDs are used again, so
	// all else must be right, too.
	ID     string `json:"id"`
	Parent string `json:"parent"`
	// Point is where it is mounted, and Device its file system; empty until it is.
	Point  string `json:"point,omitempty"`
	Device string `json:"device,omitempty"`
	// NamespaceDevice and NamespaceInode are the mount namespace's.
	NamespaceDevice uint64 `json:"namespaceDevice"`
	NamespaceInode  uint64 `json:"namespaceInode"`
	// Path of the namespace, if it was joined by path.
	Path string `json:"path,omitempty"`
}
