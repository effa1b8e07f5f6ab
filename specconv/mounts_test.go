package specconv

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// idMount is a bind mount with these mappings.
func idMount(uids, gids []specs.LinuxIDMapping, options ...string) specs.Mount {
	return specs.Mount{Destination: "/d", Source: "/s", Options: append(options, "bind"), UIDMappings: uids, GIDMappings: gids}
}

func ranges(numbers ...uint32) (list []specs.LinuxIDMapping) {
	for m := range slices.Chunk(numbers, 3) {
		list = append(list, specs.LinuxIDMapping{ContainerID: m[0], HostID: m[1], Size: m[2]})
	}
	return list
}

func TestMountRefusals(t *testing.T) {
	one := ranges(0, 1000, 1)
	at := func(destination, kind string, options ...string) specs.Mount {
		return specs.Mount{Destination: destination, Type: kind, Source: "s", Options: options}
	}
	for want, m := range map[string]specs.Mount{
		// in /proc and /sys
		`mounts[0].type: "tmpfs": only a mount of type "proc" or a bind mount of a procfs can be on "/proc"`:                at("/proc", "tmpfs"),
		`mounts[0].destination: "/proc/x": not a file in /proc that a mount may cover (to hide it: linux.maskedPaths)`:      at("/proc/x", "", "bind"),
		`mounts[0].destination: "/proc/kcore": not a file in /proc that a mount may cover (to hide it: linux.maskedPaths)`:  at("/dev/../proc//kcore/", "", "bind"),
		`mounts[0].destination: "/proc/uptime": not a file in /proc that a mount may cover (to hide it: linux.maskedPaths)`: at("/proc/uptime", "tmpfs"),
		`mounts[0].destination: "/proc/sys": not a file in /proc that a mount may cover (to hide it: linux.maskedPaths)`:    at("proc/sys", "proc"),
		`mounts[0].destination: "/sys/foo/bar": sysfs has no directory "foo", and none can be made in it`:                   at("/sys/foo/bar", "tmpfs"),

		// of another kind
		`mounts[0].options[0]: "copy-symlink" needs a bind mount: "bind" or "rbind" among the options`:  at("/d", "tmpfs", "copy-symlink"),
		`mounts[0].options[0]: "dest-nofollow" needs a bind mount: "bind" or "rbind" among the options`: at("/d", "tmpfs", "dest-nofollow"),
		`mounts[0].options[1]: "src-nofollow" needs a bind mount: "bind" or "rbind" among the options`:  at("/d", "tmpfs", "ro", "nosuid,src-nofollow"),
		`mounts[0].options: "tmpcopyup" needs a new mount, not a "remount"`:                             at("/d", "tmpfs", "tmpcopyup", "remount"),
		`mounts[0].options[0]: unknown option "size=1" for a bind mount`:                                at("/d", "", "ro,size=1", "bind"),
		`mounts[0].options[0]: unknown option "idmapx=1" for a bind mount`:                              at("/d", "", "idmapx=1", "bind"),

		// mappings
		`mounts[0].gidMappings: missing: uidMappings needs it`:                                                       idMount(one, nil, "idmap"),
		`mounts[0].uidMappings: missing: gidMappings needs it`:                                                       idMount(nil, one),
		`mounts[0].options: "idmap" needs uidMappings and gidMappings, or a user namespace with mappings`:            idMount(nil, nil, "idmap"),
		`mounts[0].options: "remount": the kernel cannot map the owners of an existing mount`:                        idMount(one, one, "remount"),
		`mounts[0].uidMappings[0].size: 0: want at least one id`:                                                     idMount(ranges(1, 2, 0), one),
		`mounts[0].options[0]: "idmap=uids=0-0-1": want both "uids=" and "gids="`:                                    at("/d", "", "idmap=uids=0-0-1", "bind"),
		`mounts[0].options[0]: "idmap=pids=1": unknown part "pids=1": want "uids=" or "gids="`:                       at("/d", "", "idmap=pids=1", "bind"),
		`mounts[0].options[0]: "idmap=uids=0-1": range "0-1": want three numbers, as in 0-1000-10`:                   at("/d", "", "idmap=uids=0-1", "bind"),
		`mounts[0].options[0]: "idmap=uids=0-x-1": range "0-x-1": want three numbers, as in 0-1000-10`:               at("/d", "", "idmap=uids=0-x-1", "bind"),
		`mounts[0].options[0]: "idmap=uids=@0-7-1;gids=0-0-1": id 7 is not mapped in the container's user namespace`: at("/d", "", "idmap=uids=@0-7-1;gids=0-0-1", "bind"),
	} {
		if out, err := convertOne(m, nil); err == nil || err.Error() != want {
			t.Errorf("want %s\ngot  %v\n     %+v", want, err, out)
		}
	}
}

func TestMountsAllowed(t *testing.T) {
	for _, m := range []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc"},
		{Destination: "/proc", Source: "/proc", Options: []string{"rbind"}},
		{Destination: "/proc/cpuinfo", Source: "/x", Options: []string{"bind", "ro"}},
		{Destination: "/proc/sys/fs/binfmt_misc", Type: "binfmt_misc", Source: "none"},
		{Destination: "/proc", Type: "proc", Options: []string{"remount", "ro"}},
		{Destination: "/processes", Type: "tmpfs"},
		{Destination: "/sys", Source: "/x", Options: []string{"bind"}},
		{Destination: "/sys/kernel/debug", Type: "debugfs", Source: "debugfs"},
		{Destination: "/sys/fs/cgroup", Type: "tmpfs", Source: "tmpfs"},
		{Destination: "/system", Type: "tmpfs"},
	} {
		if _, err := convertOne(m, nil); err != nil {
			t.Error(err)
		}
	}
}

func TestRelativeDestination(t *testing.T) {
	for destination, want := range map[string]string{"a/b": "/a/b", "../a": "/a", ".": "/"} {
		m, err := convertOne(specs.Mount{Destination: destination, Type: "tmpfs"}, nil)
		if err != nil || m.Destination != want {
			t.Errorf("%q: %q, %v", destination, m.Destination, err)
		}
	}
}

func TestSplitOption(t *testing.T) {
	for option, want := range map[string][]string{
		"":                            nil,
		"size=64k":                    {"size=64k"},
		"size=64k,mode=700":           {"size=64k", "mode=700"},
		",,ro,,":                      {"ro"},
		`context="u:r:t:s0:c1,c2",ro`: {`context="u:r:t:s0:c1,c2"`, "ro"},
		`upperdir=/a\,b,ro`:           {`upperdir=/a\,b`, "ro"},
		`a\`:                          {`a\`},
		`a,b\`:                        {"a", `b\`},
		`"a,b`:                        {`"a,b`},
	} {
		if got := splitOption(option); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", option, got, want)
		}
	}
}

func TestOptionsInOneString(t *testing.T) {
	m, err := mountWith("ro,size=64k,nosuid", "mode=700")
	if err != nil || !slices.Equal(m.Data, []string{"size=64k", "mode=700"}) || m.Attr.Set != 3 || !slices.Equal(m.Flags, []string{"ro"}) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestOverlayPaths(t *testing.T) {
	m, err := convertOne(specs.Mount{Destination: "/", Type: "overlay", Source: "overlay", Options: []string{
		`lowerdir=l1:/l2:l\:3::data`, "upperdir=up,workdir=/work", "redirect_dir=off",
	}}, nil)
	want := []string{`lowerdir=/bundle/l1:/l2:/bundle/l\:3::/bundle/data`, "upperdir=/bundle/up", "workdir=/work", "redirect_dir=off"}
	if err != nil || !slices.Equal(m.Data, want) {
		t.Errorf("%q, %v", m.Data, err)
	}
}

func TestIDMaps(t *testing.T) {
	userns := &specs.Linux{UIDMappings: ranges(0, 0, 1, 1, 2, 1000), GIDMappings: ranges(0, 5, 10)}
	for _, test := range []struct {
		m    specs.Mount
		want config.IDMap
	}{
		{idMount(ranges(0, 1, 2), ranges(3, 4, 5)), config.IDMap{UIDs: ranges(0, 1, 2), GIDs: ranges(3, 4, 5)}},
		{idMount(ranges(0, 1, 2), ranges(3, 4, 5), "ridmap"), config.IDMap{Recursive: true, UIDs: ranges(0, 1, 2), GIDs: ranges(3, 4, 5)}},
		{idMount(nil, nil, "idmap"), config.IDMap{}},
		{idMount(nil, nil, "idmap=uids=0-1-10#10-11-10;gids=0-100-10"), config.IDMap{UIDs: ranges(0, 1, 10, 10, 11, 10), GIDs: ranges(0, 100, 10)}},
		{idMount(nil, nil, "ridmap=gids=@0-2-1;uids=@1-3-10"), config.IDMap{Recursive: true, UIDs: ranges(1, 4, 10), GIDs: ranges(0, 7, 1)}},
	} {
		m, err := convertOne(test.m, userns)
		if err != nil || m.IDMap == nil || !reflect.DeepEqual(*m.IDMap, test.want) {
			t.Errorf("%q: %+v, %v", strings.Join(test.m.Options, ","), m.IDMap, err)
		}
	}
}
