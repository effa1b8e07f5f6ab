package rootfs

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/mounts"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// cgroupMount mounts the cgroup file systems. The type "cgroup" mounts the
// host's version, "cgroup2" mounts v2 also on a hybrid host. On v1 a container
// sees its own cgroup. On v2 it sees its own cgroup if it has a cgroup
// namespace; otherwise it sees the whole hierarchy, to which the paths in
// /proc/self/cgroup are relative.
type cgroupMount struct {
	mountOp
	host CgroupHost
	// private reports whether the container has a cgroup namespace, rooted at
	// its own cgroup.
	private bool
	// shared is the result of sharesMounts.
	shared bool
}

func (c *cgroupMount) Apply(t *Tree) {
	target := t.target(point{path: c.Destination, mode: newDir})
	c.at = target
	c.checkPlace(t)
	switch whole := c.host.v2Root(); {
	case c.Type == "cgroup" && !c.host.unified():
		c.applyV1(t, target)
	case c.private || whole == "":
		m := *c.Mount
		m.Type, m.Source = "cgroup2", "cgroup"
		c.attach(t, mounts.Make(t.p, &m), target)
	default:
		// A new mount would set the hierarchy's options, such as nsdelegate,
		// for the whole host, and a user namespace may not make one.
		c.attach(t, mounts.Make(t.p, c.bind(whole)), target)
	}
	t.p.CloseFd(target)
}

// bind returns the mount as a bind mount of a host directory.
func (c *cgroupMount) bind(dir string) *config.Mount {
	m := *c.Mount
	m.Bind, m.Source, m.Type = true, dir, ""
	if c.shared {
		return asSlave(&m)
	}
	return &m
}

// applyV1 makes a tmpfs with a mount for each hierarchy, and links for
// controllers that share one. The tmpfs stays writable until its content is
// complete; "ro" is set last.
func (c *cgroupMount) applyV1(t *Tree, target *stub.Value) {
	tmpfs := *c.Mount
	tmpfs.Type, tmpfs.Source, tmpfs.Data, tmpfs.Flags = "tmpfs", "tmpfs", []string{"mode=755"}, nil
	readonly := tmpfs.Attr.Set & unix.MOUNT_ATTR_RDONLY
	tmpfs.Attr.Set &^= unix.MOUNT_ATTR_RDONLY
	made := mounts.Make(t.p, &tmpfs)
	t.p.MoveMount(made.FD, target)

	names, dirs, links := c.host.hierarchies()
	for _, name := range names {
		t.p.Mkdirat(made.FD, name, 0o755)
		at := t.p.Openat2(made.FD, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, unix.RESOLVE_BENEATH|unix.RESOLVE_NO_SYMLINKS)
		c.attach(t, mounts.Make(t.p, c.hierarchy(name, dirs[name])), at)
		t.p.CloseFd(at)
	}
	for controller, name := range links {
		t.p.Symlinkat(name, made.FD, controller)
	}
	if readonly != 0 {
		t.p.MountSetattr(made.FD, 0, readonly, 0, 0)
	}
	t.p.CloseFd(made.FS)
	t.p.CloseFd(made.FD)
}

// hierarchy returns the mount of one v1 hierarchy: a new mount, rooted at the
// container's cgroup, if it has a cgroup namespace; else a bind mount of its
// directory.
func (c *cgroupMount) hierarchy(name, dir string) *config.Mount {
	if !c.private {
		return c.bind(dir)
	}
	m := *c.Mount
	m.Type, m.Source, m.Data = "cgroup", "cgroup", []string{name}
	if name == "systemd" {
		m.Data = []string{"none", "name=systemd"}
	}
	return &m
}

// CgroupHost describes a container's cgroups on the host.
type CgroupHost struct {
	// Root is the directory in which the cgroup file systems are mounted.
	Root string
	// Paths maps controllers to the directories of the container's cgroups, and
	// "" to the one of v2.
	Paths map[string]string
}

// Sources returns the directories of the host that a cgroup mount shows in a container
// without a cgroup namespace, by mount point.
func (h CgroupHost) Sources(m *config.Mount) map[string]string {
	if m.Type != "cgroup" || h.unified() {
		return map[string]string{m.Destination: h.v2Root()}
	}
	sources := map[string]string{}
	names, dirs, _ := h.hierarchies()
	for _, name := range names {
		sources[path.Join(m.Destination, name)] = dirs[name]
	}
	return sources
}

// unified reports whether the host has only v2.
func (h CgroupHost) unified() bool {
	_, v2 := h.Paths[""]
	return v2 && len(h.Paths) == 1
}

// v2Root returns the host's v2 mount point, or "" if the container has no
// cgroup in v2.
func (h CgroupHost) v2Root() string {
	own, ok := h.Paths[""]
	unified := filepath.Join(h.Root, "unified")
	switch {
	case !ok:
		return ""
	case own == unified || strings.HasPrefix(own, unified+"/"):
		return unified
	}
	return h.Root
}

// hierarchies returns the name below Root and the directory of each v1
// hierarchy, and the links from controllers to the hierarchies that they share.
func (h CgroupHost) hierarchies() (names []string, dirs, links map[string]string) {
	dirs, links = map[string]string{}, map[string]string{}
	for controller, dir := range h.Paths {
		rel := strings.TrimPrefix(strings.TrimPrefix(dir, h.Root), "/")
		name, _, _ := strings.Cut(rel, "/")
		if controller == "" || name == "" {
			continue // like runc, v1 without v2
		}
		if _, seen := dirs[name]; !seen {
			dirs[name] = dir
			names = append(names, name)
		}
		if strings.Contains(name, ",") {
			links[controller] = name
		}
	}
	slices.Sort(names)
	return names, dirs, links
}
