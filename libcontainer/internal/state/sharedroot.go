package state

// SharedRoot is the root mount of a container without its own mount namespace. All
// other mounts of the container are on it. It is in the state before it is attached.
type SharedRoot struct {
	// ID of the mount, and of its parent mount. The kernel reuses mount IDs, so all
	// other fields must match, too.
	ID     string `json:"id"`
	Parent string `json:"parent"`
	// Point is the mount point, and Device the file system's device ("8:1"); empty
	// until it is attached.
	Point  string `json:"point,omitempty"`
	Device string `json:"device,omitempty"`
	// NamespaceDevice and NamespaceInode identify the mount namespace (stat(2)).
	NamespaceDevice uint64 `json:"namespaceDevice"`
	NamespaceInode  uint64 `json:"namespaceInode"`
	// Path of the namespace, if it was joined by path.
	Path string `json:"path,omitempty"`
}
