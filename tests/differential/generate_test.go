package differential

import (
	"fmt"
	"math/rand/v2"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/capabilities"
	"github.com/berth-oci/berth/specconv"
)

// generator makes configurations that are valid by construction. One seed
// makes one configuration.
type generator struct {
	*rand.Rand
	volume string // a directory on the host with files in it
}

func (g *generator) maybe() bool { return g.IntN(2) == 0 }

// pick returns one of the choices, some returns any number of them, in their order.
func pick[T any](g *generator, choices ...T) T { return choices[g.IntN(len(choices))] }

func some[T any](g *generator, choices ...T) []T {
	var list []T
	for _, c := range choices {
		if g.IntN(3) == 0 {
			list = append(list, c)
		}
	}
	return list
}

// spec makes a whole configuration; probe is the program's path.
func (g *generator) spec(id, probe string) *specs.Spec {
	s := specconv.Default(specconv.DefaultOptions{})
	s.Hostname = pick(g, "a", "some-host.example", "x1")
	s.Root.Readonly = g.maybe()
	s.Annotations = map[string]string{"org.example": id}
	g.namespaces(s)
	g.process(s.Process)
	g.mounts(s)
	g.paths(s)
	g.devices(s)
	s.Process.Args = append([]string{probe}, append(s.Linux.MaskedPaths, s.Linux.ReadonlyPaths...)...)
	return s
}

func (g *generator) namespaces(s *specs.Spec) {
	s.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace}}
	for _, ns := range []specs.LinuxNamespaceType{specs.NetworkNamespace, specs.IPCNamespace, specs.CgroupNamespace} {
		if g.maybe() {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: ns})
		}
	}
	if g.IntN(4) != 0 {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UTSNamespace})
	} else {
		s.Hostname = ""
	}
}

func (g *generator) process(p *specs.Process) {
	p.Terminal = false
	p.User = specs.User{UID: pick[uint32](g, 0, 0, 1000, 65534), GID: pick[uint32](g, 0, 100, 1000), AdditionalGids: some[uint32](g, 5, 27, 4000)}
	p.NoNewPrivileges = g.maybe()
	p.Cwd = pick(g, "/", "/tmp", "/made/for/it", "/home/user")
	p.Env = append(p.Env, some(g, "HOME=/somewhere", "A=1", "A=2", "EMPTY=", "TEXT=a b\tc=d", "LANG=C.UTF-8")...)
	if g.maybe() {
		umask := pick[uint32](g, 0, 0o22, 0o27, 0o77)
		p.User.Umask = &umask
	}
	if g.maybe() {
		score := pick(g, 100, 500, 1000) // lowering it again needs CAP_SYS_RESOURCE
		p.OOMScoreAdj = &score
	}
	p.Rlimits = nil
	for _, l := range some(g, "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_STACK", "RLIMIT_MEMLOCK", "RLIMIT_NPROC", "RLIMIT_SIGPENDING") {
		hard := uint64(g.IntN(1<<20)) + 1<<20
		if l == "RLIMIT_NOFILE" || l == "RLIMIT_NPROC" || l == "RLIMIT_SIGPENDING" {
			hard = uint64(g.IntN(2000)) + 500
		}
		if l == "RLIMIT_CORE" {
			hard = 0
		}
		p.Rlimits = append(p.Rlimits, specs.POSIXRlimit{Type: l, Hard: hard, Soft: hard / pick[uint64](g, 1, 2)})
	}
	g.capabilities(p)
}

// capabilities makes sets that the kernel accepts: effective and ambient ones are
// permitted, ambient ones are inheritable, all are bounding.
func (g *generator) capabilities(p *specs.Process) {
	bounding := some(g, capabilities.Names()[:38]...)
	without := func(list []string, drop string) []string {
		var kept []string
		for _, c := range list {
			if c != drop {
				kept = append(kept, c)
			}
		}
		return kept
	}
	bounding = without(bounding, "CAP_SYS_RESOURCE") // not to be had everywhere
	permitted := some(g, bounding...)
	inheritable := some(g, permitted...)
	p.Capabilities = &specs.LinuxCapabilities{
		Bounding: bounding, Permitted: permitted, Inheritable: inheritable,
		Effective: some(g, permitted...), Ambient: some(g, inheritable...),
	}
}

func (g *generator) mounts(s *specs.Spec) {
	for i := range g.IntN(4) {
		m := specs.Mount{Destination: fmt.Sprintf("%s/m%d", pick(g, "/mnt", "/tmp", "/made/deep"), i)}
		if g.maybe() {
			m.Type, m.Source = "tmpfs", "tmpfs"
			m.Options = append(some(g, "nosuid", "nodev", "noexec", "noatime", "ro"), some(g, "size=1m", "mode=711", "nr_inodes=64")...)
		} else {
			m.Type, m.Source = "bind", g.volume
			m.Options = append([]string{pick(g, "bind", "rbind")}, some(g, "ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime")...)
			m.Options = append(m.Options, pick(g, "rprivate", "private", "rslave", "slave"))
		}
		s.Mounts = append(s.Mounts, m)
	}
	for i := range s.Mounts {
		if s.Mounts[i].Destination == "/dev/shm" && g.maybe() {
			s.Mounts[i].Options = append(s.Mounts[i].Options, "ro")
		}
	}
	s.Linux.RootfsPropagation = pick(g, "", "", "rslave", "rprivate", "slave")
}

func (g *generator) paths(s *specs.Spec) {
	s.Linux.MaskedPaths = some(g, "/proc/acpi", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/missing", "/etc/secret", "/etc/secrets", "/sys/kernel")
	s.Linux.ReadonlyPaths = some(g, "/proc/bus", "/proc/fs", "/proc/sys", "/proc/sysrq-trigger", "/missing", "/etc/fixed", "/etc/passwd", "/tmp")
}

func (g *generator) devices(s *specs.Spec) {
	mode := func(m uint32) *os.FileMode { f := os.FileMode(m); return &f }
	id := func(n uint32) *uint32 { return &n }
	s.Linux.Devices = some(g,
		specs.LinuxDevice{Path: "/dev/my-null", Type: "c", Major: 1, Minor: 3, FileMode: mode(0o640), UID: id(1000), GID: id(5)},
		specs.LinuxDevice{Path: "/dev/my-fifo", Type: "p", FileMode: mode(0o600)},
		specs.LinuxDevice{Path: "/dev/my-block", Type: "b", Major: 7, Minor: 200, FileMode: mode(0o660), GID: id(6)},
	)
}
