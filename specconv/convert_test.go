package specconv

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// ptr is for the optional fields of the specification's types.
func ptr[T any](v T) *T { return &v }

// convertWith converts the default configuration after a change.
func convertWith(change func(*specs.Spec)) (*config.Config, error) {
	spec := Default(DefaultOptions{CgroupNamespace: true})
	change(spec)
	return Convert(spec, Options{Bundle: "/bundle"})
}

func withMount(m specs.Mount) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Mounts = []specs.Mount{m} }
}

func withOptions(kind string, options ...string) func(*specs.Spec) {
	return withMount(specs.Mount{Destination: "/d", Type: kind, Source: "s", Options: options})
}

func withDevice(d specs.LinuxDevice) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Linux.Devices = []specs.LinuxDevice{d} }
}

func withRule(r specs.LinuxDeviceCgroup) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Linux.Resources.Devices = append(s.Linux.Resources.Devices, r) }
}

func withNamespace(kind, path string) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.LinuxNamespaceType(kind), Path: path}}
		s.Hostname = ""
	}
}

func withEnv(env ...string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.Env = env }
}

func withRlimits(limits ...specs.POSIXRlimit) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.Rlimits = limits }
}

func withHook(h specs.Hook) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Hooks = &specs.Hooks{Poststart: []specs.Hook{{Path: "/bin/true"}, h}} }
}

// TestConvertErrors has one row for each refusal.
func TestConvertErrors(t *testing.T) {
	for _, test := range []struct {
		want   string
		change func(*specs.Spec)
	}{
		// ociVersion
		{`ociVersion: missing: want "1.3.0" or another version of major 1`, func(s *specs.Spec) { s.Version = "" }},
		{`ociVersion: "2.0.0": berth reads major version 1`, func(s *specs.Spec) { s.Version = "2.0.0" }},
		{`ociVersion: "0.1.0": berth reads major version 1`, func(s *specs.Spec) { s.Version = "0.1.0" }},
		{`ociVersion: "1.0": not a semantic version (MAJOR.MINOR.PATCH, like "1.3.0")`, func(s *specs.Spec) { s.Version = "1.0" }},

		// what is for other systems
		{`solaris: berth runs Linux containers`, func(s *specs.Spec) { s.Solaris = &specs.Solaris{} }},
		{`windows: berth runs Linux containers`, func(s *specs.Spec) { s.Windows = &specs.Windows{} }},
		{`vm: berth runs Linux containers`, func(s *specs.Spec) { s.VM = &specs.VM{} }},
		{`zos: berth runs Linux containers`, func(s *specs.Spec) { s.ZOS = &specs.ZOS{} }},
		{`freebsd: berth runs Linux containers`, func(s *specs.Spec) { s.FreeBSD = &specs.FreeBSD{} }},
		{`process.commandLine: berth runs Linux containers: use "args"`, func(s *specs.Spec) { s.Process.CommandLine = "x" }},
		{`process.user.username: berth runs Linux containers: use "uid" and "gid"`, func(s *specs.Spec) { s.Process.User.Username = "x" }},

		// what is not built
		{`linux.seccomp.defaultAction: missing`, func(s *specs.Spec) { s.Linux.Seccomp = &specs.LinuxSeccomp{} }},
		{`linux.seccomp.defaultAction: unknown action "SCMP_ACT_ALOW"; did you mean "SCMP_ACT_ALLOW"?`, func(s *specs.Spec) { s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: "SCMP_ACT_ALOW"} }},
		{
			`annotations["run.oci.mount_context_type"]: unknown kind of context "contxt": want one of context, fscontext, defcontext, rootcontext; did you mean "context"?`,
			func(s *specs.Spec) { s.Annotations = map[string]string{"run.oci.mount_context_type": "contxt"} },
		},

		// hooks
		{`hooks.poststart[1].path: missing: want an absolute path`, withHook(specs.Hook{})},
		{`hooks.poststart[1].path: "true": not an absolute path`, withHook(specs.Hook{Path: "true"})},
		{`hooks.poststart[1].path: "/a\x00": contains a NUL byte`, withHook(specs.Hook{Path: "/a\x00"})},
		{`hooks.poststart[1].args[1]: "\x00": contains a NUL byte`, withHook(specs.Hook{Path: "/a", Args: []string{"a", "\x00"}})},
		{`hooks.poststart[1].env[0]: "A": want NAME=VALUE`, withHook(specs.Hook{Path: "/a", Env: []string{"A"}})},
		{`hooks.poststart[1].env[0]: "=A": want NAME=VALUE`, withHook(specs.Hook{Path: "/a", Env: []string{"=A"}})},
		{`hooks.poststart[1].env[0]: "A=\x00": contains a NUL byte`, withHook(specs.Hook{Path: "/a", Env: []string{"A=\x00"}})},
		{`hooks.poststart[1].timeout: 0: want more than 0 seconds (leave it out for no limit)`, withHook(specs.Hook{Path: "/a", Timeout: ptr(0)})},
		{`hooks.prestart[0].path: missing: want an absolute path`, func(s *specs.Spec) { s.Hooks = &specs.Hooks{Prestart: make([]specs.Hook, 1)} }},
		{`hooks.createRuntime[0].path: missing: want an absolute path`, func(s *specs.Spec) { s.Hooks = &specs.Hooks{CreateRuntime: make([]specs.Hook, 1)} }},
		{`hooks.createContainer[0].path: missing: want an absolute path`, func(s *specs.Spec) { s.Hooks = &specs.Hooks{CreateContainer: make([]specs.Hook, 1)} }},
		{`hooks.startContainer[0].path: missing: want an absolute path`, func(s *specs.Spec) { s.Hooks = &specs.Hooks{StartContainer: make([]specs.Hook, 1)} }},
		{`hooks.poststop[0].path: missing: want an absolute path`, func(s *specs.Spec) { s.Hooks = &specs.Hooks{Poststop: make([]specs.Hook, 1)} }},

		// root
		{`root: missing: want an object with the "path" of the root file system`, func(s *specs.Spec) { s.Root = nil }},
		{`root.path: missing: want a path, absolute or below the bundle`, func(s *specs.Spec) { s.Root.Path = "" }},
		{`root.path: "a\x00b": contains a NUL byte`, func(s *specs.Spec) { s.Root.Path = "a\x00b" }},

		// namespaces
		{`linux.namespaces[1].type: missing: want "cgroup", "ipc", "mount", "network", "pid", "time", "user" or "uts"`, withNamespace("", "")},
		{`linux.namespaces[1].type: unknown namespace "netwrk"; did you mean "network"?`, withNamespace("netwrk", "")},
		{`linux.namespaces[1].type: unknown namespace "net"; did you mean "network"?`, withNamespace("net", "")},
		{`linux.namespaces[1].type: unknown namespace "mnt"; did you mean "mount"?`, withNamespace("mnt", "")},
		{`linux.namespaces[1].type: unknown namespace "PID"; did you mean "pid"?`, withNamespace("PID", "")},
		{`linux.namespaces[1].type: "mount" is listed twice`, withNamespace("mount", "")},
		{`linux.namespaces[1].path: "ns/net": not an absolute path`, withNamespace("network", "ns/net")},
		{`linux.namespaces[2].type: "network" is listed twice`, func(s *specs.Spec) {
			s.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.NetworkNamespace, Path: "/x"}, {Type: specs.NetworkNamespace}}
		}},

		// names
		{`hostname: "berth": needs a "uts" namespace in linux.namespaces, or the host would be renamed`, func(s *specs.Spec) { s.Linux.Namespaces = s.Linux.Namespaces[4:] }},
		{`domainname: "d": needs a "uts" namespace in linux.namespaces, or the host would be renamed`, func(s *specs.Spec) {
			s.Hostname, s.Domainname, s.Linux.Namespaces = "", "d", s.Linux.Namespaces[4:]
		}},
		{`hostname: "` + strings.Repeat("h", 64) + `"...: 65 bytes, and the kernel takes 64`, func(s *specs.Spec) { s.Hostname = strings.Repeat("h", 65) }},
		{`domainname: "a\x00": contains a NUL byte`, func(s *specs.Spec) { s.Domainname = "a\x00" }},

		// mounts
		{`mounts[0].destination: missing: want an absolute path`, withMount(specs.Mount{})},
		{`mounts[0].destination: "/a\x00": contains a NUL byte`, withMount(specs.Mount{Destination: "/a\x00"})},
		{`mounts[0].type: missing: want a file system like "tmpfs", or "bind" among the options`, withOptions("")},
		{`mounts[0].type: "bind" is no file system: a bind mount has "bind" in its options`, withOptions("bind", "ro")},
		{`mounts[0].type: "a\x00": contains a NUL byte`, withOptions("a\x00")},
		{`mounts[0].source: "a\x00": contains a NUL byte`, withMount(specs.Mount{Destination: "/d", Type: "tmpfs", Source: "a\x00"})},
		{`mounts[0].source: "a\x00": contains a NUL byte`, withMount(specs.Mount{Destination: "/d", Source: "a\x00", Options: []string{"bind"}})},
		{`mounts[0].source: missing: want a path, absolute or below the bundle`, withMount(specs.Mount{Destination: "/d", Options: []string{"rbind"}})},
		{`mounts[0].options[1]: "a\x00": contains a NUL byte`, withOptions("tmpfs", "ro", "a\x00")},
		{`mounts[0].options[0]: unknown option "nosiud" for a bind mount; did you mean "nosuid"?`, withOptions("", "nosiud", "bind")},
		{`mounts[0].options[1]: unknown option "size=1" for a bind mount`, withOptions("", "bind", "size=1")},
		{`mounts[0].options[1]: "sync": a bind mount cannot change an option of the whole file system`, withOptions("", "bind", "sync")},
		{`mounts[0].options[0]: "noiversion": a bind mount cannot change an option of the whole file system`, withOptions("", "noiversion", "rbind")},
		{`mounts[0].options[1]: "tmpcopyup" needs a mount of type "tmpfs"`, withOptions("tmpfs", "bind", "tmpcopyup")},
		{`mounts[0].options: "tmpcopyup" needs a mount of type "tmpfs", not "proc"`, withOptions("proc", "tmpcopyup")},

		// the rest of linux
		{`linux.rootfsPropagation: unknown propagation "slav"; did you mean "slave"?`, func(s *specs.Spec) { s.Linux.RootfsPropagation = "slav" }},
		{`linux.rootfsPropagation: unknown propagation "ro": want "private", "rprivate", "rshared", "rslave", "runbindable", "shared", "slave" or "unbindable"`, func(s *specs.Spec) { s.Linux.RootfsPropagation = "ro" }},
		{`linux.maskedPaths[1]: "proc": not an absolute path`, func(s *specs.Spec) { s.Linux.MaskedPaths = []string{"/x", "proc"} }},
		{`linux.maskedPaths[1]: "/": the root cannot be masked`, func(s *specs.Spec) { s.Linux.MaskedPaths = []string{"/x", "//./"} }},
		{`linux.readonlyPaths[0]: missing: want an absolute path`, func(s *specs.Spec) { s.Linux.ReadonlyPaths = []string{""} }},
		{`linux.cgroupsPath: "\x00": contains a NUL byte`, func(s *specs.Spec) { s.Linux.CgroupsPath = "\x00" }},
		{`linux.devices[0].path: missing: want an absolute path`, withDevice(specs.LinuxDevice{Type: "c"})},
		{`linux.devices[0].path: "null": not an absolute path`, withDevice(specs.LinuxDevice{Path: "null", Type: "c"})},
		{`linux.devices[0].type: missing: want "c", "b", "u" or "p"`, withDevice(specs.LinuxDevice{Path: "/x"})},
		{`linux.devices[0].type: unknown type "char": want "c", "b", "u" or "p"`, withDevice(specs.LinuxDevice{Path: "/x", Type: "char"})},
		{`linux.devices[0].major: -1: want 0 to 4095`, withDevice(specs.LinuxDevice{Path: "/x", Type: "b", Major: -1})},
		{`linux.devices[0].major: 4096: want 0 to 4095`, withDevice(specs.LinuxDevice{Path: "/x", Type: "b", Major: 4096})},
		{`linux.devices[0].minor: 1048576: want 0 to 1048575`, withDevice(specs.LinuxDevice{Path: "/x", Type: "b", Minor: 1 << 20})},
		{`linux.devices[0].fileMode: 1048576: want permissions, 0 to 4095 (0o7777)`, withDevice(specs.LinuxDevice{Path: "/x", Type: "b", FileMode: ptr(os.FileMode(1 << 20))})},
		{`linux.devices[1].path: "/x": is another device in linux.devices[0]`, func(s *specs.Spec) {
			s.Linux.Devices = []specs.LinuxDevice{{Path: "/x", Type: "b", Major: 1}, {Path: "/y/../x", Type: "b", Major: 2}}
		}},
		{`linux.resources.devices[1].type: unknown type "p": want "a", "b" or "c"`, withRule(specs.LinuxDeviceCgroup{Type: "p"})},
		{`linux.resources.devices[1].access: "rwx": want letters of "rwm"`, withRule(specs.LinuxDeviceCgroup{Access: "rwx"})},
		{`linux.resources.devices[1].major: -2: want 0 to 4095, or -1 for any`, withRule(specs.LinuxDeviceCgroup{Major: ptr(int64(-2))})},
		{`linux.resources.devices[1].minor: 1048576: want 0 to 1048575, or -1 for any`, withRule(specs.LinuxDeviceCgroup{Minor: ptr(int64(1 << 20))})},

		// process
		{`process: missing: want an object with the program in "args"`, func(s *specs.Spec) { s.Process = nil }},
		{`process.args: missing: want at least the program to run`, func(s *specs.Spec) { s.Process.Args = nil }},
		{`process.args[0]: empty: want the program to run`, func(s *specs.Spec) { s.Process.Args = []string{""} }},
		{`process.args[1]: "\x00": contains a NUL byte`, func(s *specs.Spec) { s.Process.Args = []string{"a", "\x00"} }},
		{`process.env[1]: "A": want NAME=VALUE`, withEnv("A=", "A")},
		{`process.env[0]: "=a": no name before the "="`, withEnv("=a")},
		{`process.env[0]: "a=\x00": contains a NUL byte`, withEnv("a=\x00")},
		{`process.cwd: missing: want an absolute path`, func(s *specs.Spec) { s.Process.Cwd = "" }},
		{`process.cwd: "x": not an absolute path`, func(s *specs.Spec) { s.Process.Cwd = "x" }},
		{`process.user.uid: 4294967295: not an id: to the kernel it means "unchanged"`, func(s *specs.Spec) { s.Process.User.UID = 1<<32 - 1 }},
		{`process.user.gid: 4294967295: not an id: to the kernel it means "unchanged"`, func(s *specs.Spec) { s.Process.User.GID = 1<<32 - 1 }},
		{`process.user.additionalGids[1]: 4294967295: not an id: to the kernel it means "unchanged"`, func(s *specs.Spec) { s.Process.User.AdditionalGids = []uint32{0, 1<<32 - 1} }},
		{`process.user.umask: 512: at most 511 (0o777)`, func(s *specs.Spec) { s.Process.User.Umask = ptr(uint32(512)) }},
		{`process.oomScoreAdj: 1001: want -1000 to 1000`, func(s *specs.Spec) { s.Process.OOMScoreAdj = ptr(1001) }},
		{`process.oomScoreAdj: -1001: want -1000 to 1000`, func(s *specs.Spec) { s.Process.OOMScoreAdj = ptr(-1001) }},
		{`process.consoleSize.height: 65536: at most 65535`, func(s *specs.Spec) { s.Process.ConsoleSize = &specs.Box{Height: 65536} }},
		{`process.consoleSize.width: 65536: at most 65535`, func(s *specs.Spec) { s.Process.ConsoleSize = &specs.Box{Width: 65536} }},
		{`process.rlimits[0].type: unknown rlimit "RLIMIT_NOFILES"; did you mean "RLIMIT_NOFILE"?`, withRlimits(specs.POSIXRlimit{Type: "RLIMIT_NOFILES"})},
		{`process.rlimits[1].type: "RLIMIT_AS" is in process.rlimits[0] already`, withRlimits(specs.POSIXRlimit{Type: "RLIMIT_AS"}, specs.POSIXRlimit{Type: "RLIMIT_AS"})},
		{`process.rlimits[0].soft: 2: above process.rlimits[0].hard, 1`, withRlimits(specs.POSIXRlimit{Type: "RLIMIT_AS", Soft: 2, Hard: 1})},

		{`annotations["run.oci.keep_original_groups"]: "yes": want "1" or "0"`, func(s *specs.Spec) { s.Annotations = map[string]string{"run.oci.keep_original_groups": "yes"} }},
		{`annotations["run.oci.hooks.stderr"]: missing: want a path, absolute or below the bundle`, func(s *specs.Spec) { s.Annotations = map[string]string{"run.oci.hooks.stderr": ""} }},
		{`annotations[""]: a key must not be empty`, func(s *specs.Spec) { s.Annotations = map[string]string{"": "x"} }},
	} {
		c, err := convertWith(test.change)
		if err == nil || err.Error() != test.want {
			t.Errorf("%v\nwant %s", err, test.want)
			continue
		}
		var field *config.FieldError
		if c != nil || !errors.As(err, &field) || !errors.Is(err, config.ErrInvalid) {
			t.Errorf("%v: is a %T, with %v", err, err, c)
		}
	}
}

func TestConvertArguments(t *testing.T) {
	if _, err := Convert(nil, Options{Bundle: "/b"}); err == nil {
		t.Error("a nil configuration was accepted")
	}
	_, err := Convert(Default(DefaultOptions{}), Options{Bundle: "b"})
	if err == nil || errors.Is(err, config.ErrInvalid) {
		t.Errorf("a relative bundle: %v", err)
	}
}

func TestVersions(t *testing.T) {
	for _, version := range []string{"1.0.0", "1.0.0-rc5", "1.0.2-dev", "1.3.0", "1.99.7+build.1", "1.0.0-rc.1+b-2", specs.Version} {
		if err := checkVersion(version); err != nil {
			t.Error(err)
		}
	}
	for _, version := range []string{"1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0-é", "1..0", "1.0.x", " 1.0.0", "-1.0.0"} {
		if err := checkVersion(version); err == nil {
			t.Errorf("%q was accepted", version)
		}
	}
}

// TestConvert checks the results, which the table of errors does not show.
func TestConvert(t *testing.T) {
	c, err := convertWith(func(s *specs.Spec) {
		s.Root.Path = "a/../b/./"
		s.Domainname = "example.org"
		s.Annotations = map[string]string{"k": "v"}
		s.Process.ConsoleSize = &specs.Box{Height: 25, Width: 80}
		s.Process.User = specs.User{UID: 1, GID: 2, AdditionalGids: []uint32{3}, Umask: ptr(uint32(0o77))}
		s.Process.OOMScoreAdj = ptr(-7)
		s.Process.Cwd = "/a/../../b//c/"
		s.Process.Env = []string{"A=1", "B==", "A=3", "C="}
		s.Linux.CgroupsPath = "system.slice:berth:x"
		s.Linux.RootfsPropagation = "rshared"
		s.Linux.MaskedPaths = []string{"/proc/../proc/kcore/"}
		s.Linux.Namespaces[1].Path = "/run/netns/../netns/a"
	})
	if err != nil {
		t.Fatal(err)
	}
	p := c.Process
	for _, test := range []struct{ got, want any }{
		{c.Bundle, "/bundle"},
		{c.Rootfs, "/bundle/b"},
		{c.ReadonlyRootfs, true},
		{c.RootfsPropagation, uint64(unix.MS_SHARED | unix.MS_REC)},
		{c.Hostname, "berth"},
		{c.Domainname, "example.org"},
		{c.Namespaces.New, uint64(unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS | unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP)},
		{c.Namespaces.Join, []config.Namespace{{Type: unix.CLONE_NEWNET, Path: "/run/netns/a", Field: "linux.namespaces[1].path"}}},
		{c.MaskedPaths, []string{"/proc/kcore"}},
		{len(c.ReadonlyPaths), 5},
		{c.CgroupsPath, "system.slice:berth:x"},
		{c.Resources.Devices[0].Access, "rwm"},
		{c.Annotations["k"], "v"},
		{p.Terminal, true},
		{*p.ConsoleSize, specs.Box{Height: 25, Width: 80}},
		{[]uint32{p.UID, p.GID, p.Umask}, []uint32{1, 2, 0o77}},
		{p.AdditionalGIDs, []uint32{3}},
		{p.Args, []string{"sh"}},
		{p.Env, []string{"A=3", "B==", "C="}},
		{p.Cwd, "/b/c"},
		{p.NoNewPrivileges, true},
		{p.Rlimits, []config.Rlimit{{Field: "process.rlimits[0]", Resource: unix.RLIMIT_NOFILE, Soft: 1024, Hard: 1024}}},
		{*p.OOMScoreAdj, -7},
		{c.Mounts[2].Destination, "/dev/pts"},
		{c.Mounts[2].Attr, config.MountAttr{Set: unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NOEXEC}},
		{c.Mounts[2].Data, []string{"newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
		{c.Mounts[5].Flags, []string{"ro"}},
	} {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%#v, want %#v", test.got, test.want)
		}
	}
}

// TestConvertAllows tests configurations that look wrong and are right.
func TestConvertAllows(t *testing.T) {
	for name, change := range map[string]func(*specs.Spec){
		"empty hooks":         func(s *specs.Spec) { s.Hooks = &specs.Hooks{} },
		"absolute root":       func(s *specs.Spec) { s.Root.Path = "/r" },
		"name in joined uts":  func(s *specs.Spec) { s.Linux.Namespaces[3].Path = "/proc/1/ns/uts" },
		"longest name":        func(s *specs.Spec) { s.Hostname = strings.Repeat("h", 64) },
		"size, no terminal":   func(s *specs.Spec) { s.Process.Terminal, s.Process.ConsoleSize = false, &specs.Box{Height: 1 << 20} },
		"mount namespace":     func(s *specs.Spec) { s.Hostname, s.Linux = "", &specs.Linux{Namespaces: s.Linux.Namespaces[4:5]} },
		"remount":             withOptions("", "remount", "ro"),
		"bind remount":        withMount(specs.Mount{Destination: "/d", Options: []string{"remount", "bind", "ro"}}),
		"copy-up":             withOptions("tmpfs", "tmpcopyup"),
		"device rule for all": withRule(specs.LinuxDeviceCgroup{Type: "a", Major: ptr(int64(-1)), Minor: ptr(int64(-1)), Access: "rwm"}),
		"no capabilities":     func(s *specs.Spec) { s.Process.Capabilities = nil },
	} {
		if _, err := convertWith(change); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDevices(t *testing.T) {
	c, err := convertWith(func(s *specs.Spec) {
		s.Linux.Devices = []specs.LinuxDevice{
			{Path: "/dev/fuse", Type: "u", Major: 10, Minor: 229, UID: ptr(uint32(1)), GID: ptr(uint32(2)), FileMode: ptr(os.FileMode(unix.S_IFCHR | 0o640))},
			{Path: "/dev/../dev/zero", Type: "c", Major: 1, Minor: 5, FileMode: ptr(os.FileMode(0))},
			{Path: "/fifo", Type: "p", Major: -1, Minor: -1},
			{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(defaultDevices)
	want[1] = config.Device{Field: "linux.devices[1]", Path: "/dev/zero", Mode: unix.S_IFCHR, Major: 1, Minor: 5}
	want = append(want,
		config.Device{Field: "linux.devices[3]", Path: "/dev/fuse", Mode: unix.S_IFCHR | 0o666, Major: 10, Minor: 229},
		config.Device{Field: "linux.devices[2]", Path: "/fifo", Mode: unix.S_IFIFO | 0o666},
	)
	if !slices.Equal(c.Devices, want) {
		t.Errorf("%+v\nwant %+v", c.Devices, want)
	}
	if defaultDevices[1].Field != "" {
		t.Error("the table of default devices was changed")
	}
}

func TestCapabilities(t *testing.T) {
	c, err := convertWith(func(s *specs.Spec) {
		s.Process.Capabilities = &specs.LinuxCapabilities{
			Bounding:    []string{"CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"},
			Effective:   []string{"CAP_CHOWN", "CAP_KILL"},
			Inheritable: []string{"CAP_CHOWN"},
			Permitted:   []string{"CAP_CHOWN", "CAP_FOO", "CAP_FOWNER", "cap_kill"},
			Ambient:     []string{"CAP_CHOWN", "CAP_FOWNER"},
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (config.Capabilities{Bounding: 1 | 1<<40, Effective: 1, Inheritable: 1, Permitted: 1 | 1<<3, Ambient: 1}); c.Process.Capabilities != want {
		t.Errorf("%+v, want %+v", c.Process.Capabilities, want)
	}
	want := []string{
		`process.capabilities.permitted[1]: unknown capability "CAP_FOO" is ignored (see capabilities(7))`,
		`process.capabilities.permitted[3]: unknown capability "cap_kill" is ignored; did you mean "CAP_KILL"?`,
		`process.capabilities.effective: "CAP_KILL" is ignored: it is not in permitted`,
		`process.capabilities.ambient: "CAP_FOWNER" is ignored: it is not in inheritable`,
	}
	if !slices.Equal(c.Process.Warnings, want) {
		t.Errorf("%q", c.Process.Warnings)
	}
}

func TestProcessField(t *testing.T) {
	_, err := ConvertProcess(&specs.Process{Cwd: "/", Args: []string{"sh"}, Env: []string{"x"}}, "exec")
	if err == nil || err.Error() != `exec.env[0]: "x": want NAME=VALUE` {
		t.Error(err)
	}
	p, err := ConvertProcess(&specs.Process{Cwd: "/", Args: []string{"sh"}}, "process")
	if err != nil || p.Umask != 0o022 || p.Env != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestNames(t *testing.T) {
	if !slices.IsSorted(Rlimits()) || len(Rlimits()) != 16 {
		t.Errorf("%q", Rlimits())
	}
	if want := []string{"cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"}; !slices.Equal(Namespaces(), want) {
		t.Errorf("%q", Namespaces())
	}
}
