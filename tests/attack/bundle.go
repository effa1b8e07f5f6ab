package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// bundle is a bundle under attack. The directory "outside" next to its root file system
// has a tree with the same names, to which the attacker's links lead. The root file
// system contains that tree once more, at its path on the host: a link that is resolved
// correctly leads there.
type bundle struct {
	dir     string
	rootfs  string
	outside string
	volumes string
	limbo   string // the attacker's own
	spec    *specs.Spec
	args    []string      // more arguments for create
	added   []specs.Mount // mounts that are added when the container is created
	swaps   []swap
	wanted
	// err is the first error of a scenario.
	err error
}

// owner is the ID of root in the user namespaces of scenarios.
const owner = 100000

// secret is the content of each file outside.
const secret = "outside\n"

func newBundle(dir string) (*bundle, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	b := &bundle{
		dir: dir, rootfs: filepath.Join(dir, "rootfs"), outside: filepath.Join(dir, "outside"),
		volumes: filepath.Join(dir, "volumes"), limbo: filepath.Join(dir, "limbo"),
		spec: &specs.Spec{
			Version: "1.0.2",
			Root:    &specs.Root{Path: "rootfs"},
			Process: &specs.Process{Cwd: "/", Args: []string{"/program"}},
			Linux:   &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace}}},
		},
	}
	for _, dir := range []string{b.rootfs, b.outside, b.volumes, b.limbo, filepath.Join(b.rootfs, b.outside)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	// Never executed: no container is started.
	return b, os.WriteFile(filepath.Join(b.rootfs, "program"), []byte("#!/program\n"), 0o755)
}

func (b *bundle) must(err error) {
	if b.err == nil {
		b.err = err
	}
}

// everywhere calls make for a path in the three trees.
func (b *bundle) everywhere(path string, make func(string) error) {
	for _, tree := range []string{b.rootfs, b.outside, filepath.Join(b.rootfs, b.outside)} {
		b.must(os.MkdirAll(filepath.Dir(filepath.Join(tree, path)), 0o755))
		b.must(make(filepath.Join(tree, path)))
	}
}

// has makes directories in the three trees.
func (b *bundle) has(paths ...string) {
	for _, path := range paths {
		b.everywhere(path, func(p string) error { return os.MkdirAll(p, 0o755) })
	}
}

// hasFile makes files in the three trees; those outside have the secret.
func (b *bundle) hasFile(paths ...string) {
	for _, path := range paths {
		b.everywhere(path, func(p string) error {
			text := secret
			if strings.HasPrefix(p, b.rootfs) {
				text = "inside\n"
			}
			return os.WriteFile(p, []byte(text), 0o644)
		})
	}
}

// link returns the target of an attacker's link to a path outside.
type link func(b *bundle, path string) string

func absolute(b *bundle, path string) string { return filepath.Join(b.outside, path) }

func climbing(b *bundle, path string) string {
	return strings.Repeat("../", strings.Count(b.dir+path, "/")+5) + strings.TrimPrefix(absolute(b, path), "/")
}

// magic goes through the root directory of the process that follows it.
func magic(b *bundle, path string) string { return "/proc/self/root" + absolute(b, path) }

// swap makes the attacker exchange a path for a link that leads outside.
func (b *bundle) swap(to link, paths ...string) {
	for _, path := range paths {
		at := filepath.Join(b.rootfs, path)
		b.must(os.Symlink(to(b, path), at+".link"))
		b.swaps = append(b.swaps, swap{at, at + ".link"})
	}
}

// mount adds a mount that judge recognizes by its source.
func (b *bundle) mount(m specs.Mount) {
	b.spec.Mounts = append(b.spec.Mounts, m)
	b.wantMount(m.Source)
}

func (b *bundle) tmpfs(destination string, options ...string) {
	b.mount(specs.Mount{Destination: destination, Type: "tmpfs", Source: "attacked" + destination, Options: options})
}

// bind adds a bind mount of a directory or file of the host.
func (b *bundle) bind(destination string, file bool, options ...string) {
	source := filepath.Join(b.volumes, strings.ReplaceAll(destination, "/", "-"))
	if file {
		b.must(os.WriteFile(source, nil, 0o644))
	} else {
		b.must(os.MkdirAll(source, 0o755))
	}
	b.mount(specs.Mount{Destination: destination, Type: "none", Source: source, Options: append(options, "bind")})
}

// userNamespace adds a user namespace, and makes its root the owner of the root file
// system.
func (b *bundle) userNamespace() {
	ids := []specs.LinuxIDMapping{{HostID: owner, Size: 65536}}
	b.spec.Linux.Namespaces = append(b.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	b.spec.Linux.UIDMappings, b.spec.Linux.GIDMappings = ids, ids
	b.must(filepath.WalkDir(b.rootfs, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, owner, owner)
	}))
}

// finish writes config.json without the path of the cgroup, which differs for each
// container.
func (b *bundle) finish() error {
	if b.err != nil {
		return b.err
	}
	unix.Umask(0o022)
	return b.write(b.dir, "")
}

// write writes config.json to a directory.
func (b *bundle) write(dir, cgroup string) error {
	spec, linux, root := *b.spec, *b.spec.Linux, *b.spec.Root
	linux.CgroupsPath = cgroup
	root.Path = b.rootfs
	spec.Linux, spec.Root = &linux, &root
	text, err := json.Marshal(&spec)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644)
}
