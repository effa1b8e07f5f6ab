package checkpoint

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/criu"

	"github.com/berth-oci/berth/libcontainer/config"
)

// joinedNamespaces are the kinds of namespaces that an image can leave to the host: their
// names in /proc/PID/ns, and the keys of their descriptors at restore, as in runc's
// images.
var joinedNamespaces = [...]struct {
	flag      uint64
	name, key string
}{
	{unix.CLONE_NEWNET, "net", "extRootNetNS"},
	{unix.CLONE_NEWPID, "pid", "extRootPidNS"},
}

// Namespaces returns the namespaces that a container has joined, as external ones of a
// dump: CRIU then does not save them.
func Namespaces(pid int, cfg *config.Config) ([]string, error) {
	var list []string
	for _, known := range joinedNamespaces {
		for _, joined := range cfg.Namespaces.Join {
			if joined.Type != known.flag {
				continue
			}
			var st unix.Stat_t
			path := fmt.Sprintf("/proc/%d/ns/%s", pid, known.name)
			if err := unix.Stat(path, &st); err != nil {
				return nil, fmt.Errorf("stat %q: %w", path, err)
			}
			list = append(list, fmt.Sprintf("%s[%d]:%s", known.name, st.Ino, known.key))
		}
	}
	return list, nil
}

// CheckConfig refuses a container that CRIU would restore as a different one.
func CheckConfig(cfg *config.Config) error {
	for i := range cfg.Mounts {
		if m := &cfg.Mounts[i]; m.IDMap != nil {
			return config.FieldErrorf(m.Field, "CRIU cannot restore the owners of an id-mapped mount")
		}
	}
	if cfg.Seccomp != nil && cfg.Seccomp.Notify {
		return config.FieldErrorf("linux.seccomp", "CRIU cannot restore a filter with a listener")
	}
	if cfg.Namespaces.New&unix.CLONE_NEWNS == 0 {
		return config.FieldErrorf("linux.namespaces", "CRIU cannot restore a root without a mount namespace of its own")
	}
	return nil
}

// NamespaceKey returns the key of the descriptor that a joined namespace has at restore;
// empty if CRIU takes its path, or restores it.
func NamespaceKey(n config.Namespace) string {
	for _, known := range joinedNamespaces {
		if n.Type == known.flag {
			return known.key
		}
	}
	return ""
}

// Joins returns the namespaces of other kinds that the configuration joins, as CRIU takes
// them: the name, and the path.
func Joins(cfg *config.Config) []criu.Pair {
	var list []criu.Pair
	for _, n := range cfg.Namespaces.Join {
		switch n.Type {
		case unix.CLONE_NEWIPC:
			list = append(list, criu.Pair{Key: "ipc", Value: n.Path})
		case unix.CLONE_NEWUTS:
			list = append(list, criu.Pair{Key: "uts", Value: n.Path})
		}
	}
	return list
}
