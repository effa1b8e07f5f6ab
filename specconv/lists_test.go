package specconv

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// list is a long list or map of config.json.
type list struct {
	fill func(s *specs.Spec, n int)
	most int    // the number of accepted entries, 0 for any
	err  string // the beginning of the error for more entries
}

func filled[T any](n int, entry func(i int) T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = entry(i)
	}
	return all
}

func filledMap[T any](n int, entry func(i int) (string, T)) map[string]T {
	all := make(map[string]T, n)
	for i := range n {
		key, value := entry(i)
		all[key] = value
	}
	return all
}

func strings1(format string) func(i int) string {
	return func(i int) string { return fmt.Sprintf(format, i) }
}

func same[T any](v T) func(int) T { return func(int) T { return v } }

func mapping(i int) specs.LinuxIDMapping {
	return specs.LinuxIDMapping{ContainerID: uint32(i), HostID: uint32(1000 + 2*i), Size: 1}
}

func resourcesOf(s *specs.Spec) *specs.LinuxResources {
	s.Linux.Resources = &specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{}, Network: &specs.LinuxNetwork{}}
	return s.Linux.Resources
}

func throttles(at func(*specs.LinuxBlockIO) *[]specs.LinuxThrottleDevice) list {
	return list{fill: func(s *specs.Spec, n int) {
		*at(resourcesOf(s).BlockIO) = filled(n, func(i int) (d specs.LinuxThrottleDevice) {
			d.Major, d.Minor, d.Rate = int64(i), 1, 1
			return d
		})
	}}
}

func capabilitySet(at func(*specs.LinuxCapabilities) *[]string) list {
	return list{fill: func(s *specs.Spec, n int) { *at(s.Process.Capabilities) = filled(n, same("CAP_KILL")) }}
}

// lists returns every list and map of the specification for Linux.
func lists() map[string]list {
	all := map[string]list{
		"process.user.additionalGids": {
			fill: func(s *specs.Spec, n int) {
				s.Process.User.AdditionalGids = filled(n, func(i int) uint32 { return uint32(i) })
			},
			most: 65536, err: "process.user.additionalGids: 65537 groups: the kernel accepts at most 65536",
		},
		"process.args":                     {fill: func(s *specs.Spec, n int) { s.Process.Args = filled(n, strings1("a%d")) }},
		"process.env":                      {fill: func(s *specs.Spec, n int) { s.Process.Env = filled(n, strings1("A%d=b")) }},
		"process.capabilities.bounding":    capabilitySet(func(c *specs.LinuxCapabilities) *[]string { return &c.Bounding }),
		"process.capabilities.effective":   capabilitySet(func(c *specs.LinuxCapabilities) *[]string { return &c.Effective }),
		"process.capabilities.inheritable": capabilitySet(func(c *specs.LinuxCapabilities) *[]string { return &c.Inheritable }),
		"process.capabilities.permitted":   capabilitySet(func(c *specs.LinuxCapabilities) *[]string { return &c.Permitted }),
		"process.capabilities.ambient":     capabilitySet(func(c *specs.LinuxCapabilities) *[]string { return &c.Ambient }),
		"process.rlimits": { // one of each resource
			fill: func(s *specs.Spec, n int) {
				s.Process.Rlimits = filled(n, func(i int) specs.POSIXRlimit { return specs.POSIXRlimit{Type: Rlimits()[i%len(Rlimits())]} })
			},
			most: len(Rlimits()), err: "process.rlimits[16].type: ",
		},
		"process.scheduler.flags": {fill: func(s *specs.Spec, n int) {
			s.Process.Scheduler = &specs.Scheduler{Policy: specs.SchedOther, Flags: filled(n, same(specs.SchedFlagResetOnFork))}
		}},
		"mounts": {fill: func(s *specs.Spec, n int) {
			s.Mounts = filled(n, func(i int) specs.Mount {
				return specs.Mount{Destination: fmt.Sprintf("/d%d", i), Type: "tmpfs", Source: "tmpfs"}
			})
		}},
		"mounts[].options": {fill: func(s *specs.Spec, n int) {
			s.Mounts = []specs.Mount{{Destination: "/d", Type: "overlay", Source: "overlay", Options: filled(n, strings1("x%d=1"))}}
		}},
		"mounts[].uidMappings": {fill: mountMappings, most: 340, err: "mounts[0].uidMappings: 341 ranges"},
		"mounts[].gidMappings": {fill: mountMappings, most: 340, err: "mounts[0].uidMappings: 341 ranges"},
		"annotations": {fill: func(s *specs.Spec, n int) {
			s.Annotations = filledMap(n, func(i int) (string, string) { return fmt.Sprint("k", i), "v" })
		}},
		"linux.uidMappings": {fill: userMappings, most: 340, err: "linux.uidMappings: 341 ranges"},
		"linux.gidMappings": {fill: userMappings, most: 340, err: "linux.uidMappings: 341 ranges"},
		"linux.sysctl": {fill: func(s *specs.Spec, n int) {
			s.Linux.Sysctl = filledMap(n, func(i int) (string, string) { return fmt.Sprint("net.ipv4.x", i), "1" })
		}},
		"linux.resources.devices": {fill: func(s *specs.Spec, n int) {
			resourcesOf(s).Devices = filled(n, func(i int) specs.LinuxDeviceCgroup {
				return specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: ptr(int64(i >> 12)), Minor: ptr(int64(i & 0xfff)), Access: "rwm"}
			})
		}},
		"linux.resources.blockIO.weightDevice": {fill: func(s *specs.Spec, n int) {
			resourcesOf(s).BlockIO.WeightDevice = filled(n, func(i int) (d specs.LinuxWeightDevice) {
				d.Major, d.Weight = int64(i), ptr(uint16(10))
				return d
			})
		}},
		"linux.resources.blockIO.throttleReadBpsDevice":   throttles(func(b *specs.LinuxBlockIO) *[]specs.LinuxThrottleDevice { return &b.ThrottleReadBpsDevice }),
		"linux.resources.blockIO.throttleWriteBpsDevice":  throttles(func(b *specs.LinuxBlockIO) *[]specs.LinuxThrottleDevice { return &b.ThrottleWriteBpsDevice }),
		"linux.resources.blockIO.throttleReadIOPSDevice":  throttles(func(b *specs.LinuxBlockIO) *[]specs.LinuxThrottleDevice { return &b.ThrottleReadIOPSDevice }),
		"linux.resources.blockIO.throttleWriteIOPSDevice": throttles(func(b *specs.LinuxBlockIO) *[]specs.LinuxThrottleDevice { return &b.ThrottleWriteIOPSDevice }),
		"linux.resources.hugepageLimits": {fill: func(s *specs.Spec, n int) {
			resourcesOf(s).HugepageLimits = filled(n, func(i int) specs.LinuxHugepageLimit {
				return specs.LinuxHugepageLimit{Pagesize: fmt.Sprint(i, "MB")}
			})
		}},
		"linux.resources.network.priorities": {fill: func(s *specs.Spec, n int) {
			resourcesOf(s).Network.Priorities = filled(n, func(i int) specs.LinuxInterfacePriority {
				return specs.LinuxInterfacePriority{Name: fmt.Sprint("e", i)}
			})
		}},
		"linux.resources.rdma": {fill: func(s *specs.Spec, n int) {
			resourcesOf(s).Rdma = filledMap(n, func(i int) (string, specs.LinuxRdma) {
				return fmt.Sprint("m", i), specs.LinuxRdma{HcaHandles: ptr(uint32(1))}
			})
		}},
		"linux.resources.unified": {fill: func(s *specs.Spec, n int) {
			resourcesOf(s).Unified = filledMap(n, func(i int) (string, string) { return fmt.Sprint("memory.x", i), "1" })
		}},
		"linux.namespaces": { // one of each type
			fill: func(s *specs.Spec, n int) {
				s.Hostname = ""
				s.Linux.Namespaces = filled(n, same(specs.LinuxNamespace{Type: specs.MountNamespace}))
			},
			most: 1, err: "linux.namespaces[1].type: ",
		},
		"linux.devices": {fill: func(s *specs.Spec, n int) {
			s.Linux.Devices = filled(n, func(i int) specs.LinuxDevice {
				return specs.LinuxDevice{Path: fmt.Sprintf("/dev/x%d", i), Type: "c", Major: 1, Minor: int64(i)}
			})
		}},
		"linux.netDevices": {fill: func(s *specs.Spec, n int) {
			s.Linux.NetDevices = filledMap(n, func(i int) (string, specs.LinuxNetDevice) { return fmt.Sprint("e", i), specs.LinuxNetDevice{} })
		}},
		"linux.seccomp.architectures": profiled(func(p *specs.LinuxSeccomp, n int) { p.Architectures = filled(n, same(specs.ArchX86)) }),
		"linux.seccomp.flags":         profiled(func(p *specs.LinuxSeccomp, n int) { p.Flags = filled(n, same(specs.LinuxSeccompFlagLog)) }),
		"linux.seccomp.syscalls": profiled(func(p *specs.LinuxSeccomp, n int) {
			p.Syscalls = filled(n, func(i int) specs.LinuxSyscall {
				return specs.LinuxSyscall{Names: []string{"read"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Value: uint64(i), Op: specs.OpEqualTo}}}
			})
		}),
		"linux.seccomp.syscalls[].names": profiled(func(p *specs.LinuxSeccomp, n int) {
			p.Syscalls = []specs.LinuxSyscall{{Names: filled(n, strings1("call%d")), Action: specs.ActErrno}}
		}),
		"linux.seccomp.syscalls[].args": profiled(func(p *specs.LinuxSeccomp, n int) {
			p.Syscalls = []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActErrno, Args: filled(n, same(specs.LinuxSeccompArg{Op: specs.OpEqualTo}))}}
		}),
		"linux.maskedPaths":   {fill: func(s *specs.Spec, n int) { s.Linux.MaskedPaths = filled(n, strings1("/m%d")) }},
		"linux.readonlyPaths": {fill: func(s *specs.Spec, n int) { s.Linux.ReadonlyPaths = filled(n, strings1("/r%d")) }},
		"linux.intelRdt.schemata": {fill: func(s *specs.Spec, n int) {
			s.Linux.IntelRdt = &specs.LinuxIntelRdt{ClosID: "a", Schemata: filled(n, strings1("L3:%d=f"))}
		}},
		"linux.memoryPolicy.flags": {fill: func(s *specs.Spec, n int) {
			s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolBind, Nodes: "0", Flags: filled(n, same(specs.MpolFStaticNodes))}
		}},
		"linux.personality.flags": {
			fill: func(s *specs.Spec, n int) {
				s.Linux.Personality = &specs.LinuxPersonality{Domain: specs.PerLinux, Flags: filled(n, same(specs.LinuxPersonalityFlag("UNAME26")))}
			},
		},
		"linux.timeOffsets": { // of the two clocks that have one
			fill: func(s *specs.Spec, n int) {
				s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.TimeNamespace})
				s.Linux.TimeOffsets = filledMap(n, func(i int) (string, specs.LinuxTimeOffset) {
					if i < 2 {
						return []string{"boottime", "monotonic"}[i], specs.LinuxTimeOffset{}
					}
					return fmt.Sprint("c", i), specs.LinuxTimeOffset{}
				})
			},
			most: 2, err: "linux.timeOffsets",
		},
	}
	for name, at := range map[string]func(*specs.Hooks) *[]specs.Hook{
		"prestart":        func(h *specs.Hooks) *[]specs.Hook { return &h.Prestart },
		"createRuntime":   func(h *specs.Hooks) *[]specs.Hook { return &h.CreateRuntime },
		"createContainer": func(h *specs.Hooks) *[]specs.Hook { return &h.CreateContainer },
		"startContainer":  func(h *specs.Hooks) *[]specs.Hook { return &h.StartContainer },
		"poststart":       func(h *specs.Hooks) *[]specs.Hook { return &h.Poststart },
		"poststop":        func(h *specs.Hooks) *[]specs.Hook { return &h.Poststop },
	} {
		hook := func(of func(n int) []specs.Hook) list {
			return list{fill: func(s *specs.Spec, n int) {
				s.Hooks = &specs.Hooks{}
				*at(s.Hooks) = of(n)
			}}
		}
		all["hooks."+name] = hook(func(n int) []specs.Hook { return filled(n, same(specs.Hook{Path: "/bin/true"})) })
		all["hooks."+name+"[].args"] = hook(func(n int) []specs.Hook { return []specs.Hook{{Path: "/bin/true", Args: filled(n, strings1("a%d"))}} })
		all["hooks."+name+"[].env"] = hook(func(n int) []specs.Hook { return []specs.Hook{{Path: "/bin/true", Env: filled(n, strings1("A%d=b"))}} })
	}
	return all
}

func mountMappings(s *specs.Spec, n int) {
	s.Mounts = []specs.Mount{{
		Destination: "/d", Source: "/s", Options: []string{"bind", "idmap"},
		UIDMappings: filled(n, mapping), GIDMappings: filled(n, mapping),
	}}
}

func userMappings(s *specs.Spec, n int) { withUser(filled(n, mapping), filled(n, mapping))(s) }

func profiled(fill func(*specs.LinuxSeccomp, int)) list {
	return list{fill: func(s *specs.Spec, n int) {
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
		fill(s.Linux.Seccomp, n)
	}}
}

// TestListsOfAnyLength tests that every list of the specification is accepted
// with any number of entries, in a time that is not quadratic, or is refused by
// name. A new list in the specification must be added to lists.
func TestListsOfAnyLength(t *testing.T) {
	all := lists()
	var found []string
	findLists("", reflect.TypeFor[specs.Spec](), &found)
	slices.Sort(found)
	if known := slices.Sorted(maps.Keys(all)); !slices.Equal(found, known) {
		t.Fatalf("the specification has the lists\n%q\nknown are\n%q", found, known)
	}
	for path, l := range all {
		t.Run(path, func(t *testing.T) {
			for _, n := range []int{1, 10, 1000, 10000} {
				if l.most == 0 || n <= l.most {
					if err := convertLong(l, n); err != nil {
						t.Fatalf("%d entries: %v", n, err)
					}
				}
			}
			if l.most > 0 {
				refusedAbove(t, l)
				return
			}
			// Ten times as many entries take ten times as long; quadratic would
			// be a hundred.
			short, long := fastest(t, l, 1000), fastest(t, l, 10000)
			if long > 60*short && long > 300*time.Millisecond {
				t.Errorf("1,000 entries take %s, 10,000 %s", short, long)
			}
		})
	}
}

// findLists adds the paths of the lists and maps in a type, without those for
// other systems than Linux.
func findLists(path string, in reflect.Type, found *[]string) {
	switch in.Kind() {
	case reflect.Pointer:
		findLists(path, in.Elem(), found)
	case reflect.Slice, reflect.Map:
		*found = append(*found, path)
		findLists(path+"[]", in.Elem(), found)
	case reflect.Struct:
		for i := range in.NumField() {
			at := fieldPath(path, in.Field(i))
			if !slices.Contains([]string{"solaris", "windows", "vm", "zos", "freebsd"}, at) {
				findLists(at, in.Field(i).Type, found)
			}
		}
	}
}

func convertLong(l list, n int) error {
	spec := Default(DefaultOptions{})
	l.fill(spec, n)
	_, err := Convert(spec, Options{Bundle: "/b"})
	return err
}

func refusedAbove(t *testing.T, l list) {
	t.Helper()
	if err := convertLong(l, l.most); err != nil {
		t.Errorf("%d entries: %v", l.most, err)
	}
	for _, n := range []int{l.most + 1, max(l.most+1, 10000)} {
		err := convertLong(l, n)
		var field *config.FieldError
		if !errors.As(err, &field) || n == l.most+1 && !strings.HasPrefix(err.Error(), l.err) {
			t.Errorf("%d entries: %v, want %s", n, err, l.err)
		}
	}
}

// fastest returns the best time of three: other load on the machine only adds.
func fastest(t *testing.T, l list, n int) time.Duration {
	t.Helper()
	best := time.Hour
	for range 3 {
		spec := Default(DefaultOptions{})
		l.fill(spec, n)
		begin := time.Now()
		if _, err := Convert(spec, Options{Bundle: "/b"}); err != nil {
			t.Fatalf("%d entries: %v", n, err)
		}
		best = min(best, time.Since(begin))
	}
	return best
}
