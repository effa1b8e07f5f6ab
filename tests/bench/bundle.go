package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Bundles, below the directory of all bundles. They share one root file system.
const (
	plain    = "plain"
	filtered = "filtered" // with Docker's seccomp profile
	mapped   = "mapped"   // with a user namespace
	probe    = "probe"    // prints what the container is like
)

// many is the number of containers in the longest list; each has a bundle of its own.
const many = 1000

// sleeping runs until it is killed. Each runtime has its own cgroup for it.
func sleeping(runtime string) string { return "sleeping-" + runtime }

// probeRoot is the root file system of "probe".
const probeRoot = "probe-rootfs"

func numbered(i int) string { return fmt.Sprintf("many/%d", i) }

// newBundle makes the bundles, with busybox's /bin/true and /bin/sleep, and the default
// config. Each has a cgroup of its own, except "probe".
func newBundle(dir, cgroup string, runtimes []program) error {
	for _, name := range []string{"", "many"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := newRoot(filepath.Join(dir, "rootfs"), "true", "sleep"); err != nil {
		return err
	}
	if err := newRoot(filepath.Join(dir, probeRoot), probeTools...); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, probeRoot, "bin/true"), []byte(probeScript), 0o755); err != nil {
		return err
	}
	profile, err := os.ReadFile("seccomp/testdata/docker.json")
	if err != nil {
		return err
	}
	if _, err := output("bin/berth", "spec", "--bundle", dir); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return err
	}
	m := bundleMaker{dir: dir, cgroup: cgroup, spec: text}
	m.write(plain, nil)
	m.write(filtered, func(c config) { c.linux()["seccomp"] = json.RawMessage(profile) })
	m.write(mapped, mapUsers)
	for _, r := range runtimes {
		m.write(sleeping(r.Name), func(c config) { c.process()["args"] = []string{"/bin/sleep", "1000000"} })
	}
	// In the same cgroup as the lower bound.
	m.write(probe, func(c config) {
		c["root"].(map[string]any)["path"] = "/mnt/bundle/" + probeRoot
		c.linux()["cgroupsPath"] = filepath.Join(cgroup, plain)
	})
	for i := range many {
		m.write(numbered(i), nil)
	}
	return m.err
}

// newRoot makes a root file system with commands of busybox, and the mount points, which
// the root of a user namespace cannot make.
func newRoot(dir string, commands ...string) error {
	for _, name := range []string{"", "bin", "proc", "dev", "sys"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range commands {
		if err := copyFile("/bin/busybox", filepath.Join(dir, "bin", name)); err != nil {
			return err
		}
	}
	return nil
}

// config is a config.json.
type config map[string]any

func (c config) linux() map[string]any   { return c["linux"].(map[string]any) }
func (c config) process() map[string]any { return c["process"].(map[string]any) }

// mapUsers adds a user namespace.
func mapUsers(c config) {
	mapping := []any{map[string]any{"containerID": 0, "hostID": 100000, "size": 65536}}
	linux := c.linux()
	linux["uidMappings"], linux["gidMappings"] = mapping, mapping
	linux["namespaces"] = append(linux["namespaces"].([]any), map[string]any{"type": "user"})
}

// bundleMaker keeps the first error.
type bundleMaker struct {
	dir    string
	cgroup string // the parent of all cgroups
	spec   []byte // the config.json of "spec"
	err    error
}

// write makes the bundle with that name; change may be nil.
func (m *bundleMaker) write(name string, change func(config)) {
	if m.err != nil {
		return
	}
	var c config
	if m.err = json.Unmarshal(m.spec, &c); m.err != nil {
		return
	}
	// The newest version that Debian 12's crun supports.
	c["ociVersion"] = "1.0.0"
	c.process()["terminal"] = false
	c.process()["args"] = []string{"/bin/true"}
	c["root"].(map[string]any)["path"] = "/mnt/bundle/rootfs"
	c.linux()["cgroupsPath"] = filepath.Join(m.cgroup, name)
	if change != nil {
		change(c)
	}
	var text []byte
	if text, m.err = json.Marshal(c); m.err != nil {
		return
	}
	if m.err = os.Mkdir(filepath.Join(m.dir, name), 0o755); m.err != nil {
		return
	}
	m.err = os.WriteFile(filepath.Join(m.dir, name, "config.json"), text, 0o644)
}
