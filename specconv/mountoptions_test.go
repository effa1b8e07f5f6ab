package specconv

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// specOptions is the table of config.md 1.3.0, Linux mount options, in its
// order.
var specOptions = []struct{ name, requirement string }{
	{"async", "MUST"},
	{"atime", "MUST"},
	{"bind", "MUST"},
	{"defaults", "MUST"},
	{"dev", "MUST"},
	{"diratime", "MUST"},
	{"dirsync", "MUST"},
	{"exec", "MUST"},
	{"iversion", "MUST"},
	{"lazytime", "MUST"},
	{"loud", "MUST"},
	{"mand", "MAY"},
	{"noatime", "MUST"},
	{"nodev", "MUST"},
	{"nodiratime", "MUST"},
	{"noexec", "MUST"},
	{"noiversion", "MUST"},
	{"nolazytime", "MUST"},
	{"nomand", "MAY"},
	{"norelatime", "MUST"},
	{"nostrictatime", "MUST"},
	{"nosuid", "MUST"},
	{"nosymfollow", "SHOULD"},
	{"private", "MUST"},
	{"ratime", "SHOULD"},
	{"rbind", "MUST"},
	{"rdev", "SHOULD"},
	{"rdiratime", "SHOULD"},
	{"relatime", "MUST"},
	{"remount", "MUST"},
	{"rexec", "SHOULD"},
	{"rnoatime", "SHOULD"},
	{"rnodiratime", "SHOULD"},
	{"rnoexec", "SHOULD"},
	{"rnorelatime", "SHOULD"},
	{"rnostrictatime", "SHOULD"},
	{"rnosuid", "SHOULD"},
	{"rnosymfollow", "SHOULD"},
	{"ro", "MUST"},
	{"rprivate", "MUST"},
	{"rrelatime", "SHOULD"},
	{"rro", "SHOULD"},
	{"rrw", "SHOULD"},
	{"rshared", "MUST"},
	{"rslave", "MUST"},
	{"rstrictatime", "SHOULD"},
	{"rsuid", "SHOULD"},
	{"rsymfollow", "SHOULD"},
	{"runbindable", "MUST"},
	{"rw", "MUST"},
	{"shared", "MUST"},
	{"silent", "MUST"},
	{"slave", "MUST"},
	{"strictatime", "MUST"},
	{"suid", "MUST"},
	{"symfollow", "SHOULD"},
	{"sync", "MUST"},
	{"tmpcopyup", "MAY"},
	{"unbindable", "MUST"},
	{"idmap", "SHOULD"},
	{"ridmap", "SHOULD"},
}

func TestOptionsOfTheSpecification(t *testing.T) {
	names := []string{"rnodev"} // missing in that table, but in features.md
	for _, row := range specOptions {
		names = append(names, row.name)
		if lookupOption(row.name) == nil {
			t.Errorf("%q (%s) is not in the table", row.name, row.requirement)
		}
	}
	names = append(names, "copy-symlink", "dest-nofollow", "src-nofollow", "copy", "nocopy") // crun's
	for _, row := range mountOptions {
		if !slices.Contains(names, row.name) {
			t.Errorf("%q is not in the specification", row.name)
		}
	}
}

func TestOptionTableSorted(t *testing.T) {
	if !slices.IsSortedFunc(mountOptions, func(a, b mountOption) int { return strings.Compare(a.name, b.name) }) {
		t.Error("binary search needs a sorted table")
	}
	for _, row := range mountOptions {
		if row.opposite == "" {
			continue
		}
		other := lookupOption(row.opposite)
		if other == nil || other.opposite != row.name && row.name != "noiversion" {
			t.Errorf("%q: its opposite is %q", row.name, row.opposite)
		}
	}
}

func TestMountOptions(t *testing.T) {
	names := MountOptions()
	if !slices.IsSorted(names) || !slices.Contains(names, "rro") || !slices.Contains(names, "idmap") {
		t.Errorf("%q", names)
	}
}

// convertOne converts one mount of a container with these settings.
func convertOne(m specs.Mount, linux *specs.Linux) (config.Mount, error) {
	out := &config.Config{Bundle: "/bundle"}
	if linux != nil && len(linux.UIDMappings) > 0 {
		out.Namespaces.New = unix.CLONE_NEWUSER
	}
	if err := convertMounts([]specs.Mount{m}, out, linux); err != nil {
		return config.Mount{}, err
	}
	return out.Mounts[0], nil
}

// mountWith converts one tmpfs mount, or one bind mount if the options have it.
func mountWith(options ...string) (config.Mount, error) {
	return convertOne(specs.Mount{Destination: "/d", Type: "tmpfs", Source: "s", Options: options}, nil)
}

// TestOptionAttributes tests the effect of options and their order on
// attributes.
func TestOptionAttributes(t *testing.T) {
	const (
		ro, nosuid, nodev, noexec = 0x1, 0x2, 0x4, 0x8
		noatime, strict, atimes   = 0x10, 0x20, 0x70
		nodiratime, nosymfollow   = 0x80, 0x200000
	)
	for _, test := range []struct {
		options    string
		set, clear uint64
	}{
		{"", 0, 0},
		{"defaults", 0, 0},
		{"ro", ro, 0},
		{"rw", 0, ro},
		{"ro,rw", 0, ro},
		{"rw,ro", ro, 0},
		{"nosuid,nodev,noexec", nosuid | nodev | noexec, 0},
		{"suid,dev,exec", 0, nosuid | nodev | noexec},
		{"nosuid,suid", 0, nosuid},
		{"nodiratime", nodiratime, 0},
		{"nodiratime,diratime", 0, nodiratime},
		{"nosymfollow", nosymfollow, 0},
		{"symfollow", 0, nosymfollow},
		{"noatime", noatime, atimes},
		{"relatime", 0, atimes},
		{"strictatime", strict, atimes},
		{"noatime,strictatime", strict, atimes},
		{"strictatime,noatime", noatime, atimes},
		{"noatime,relatime", 0, atimes},
		{"atime", 0, atimes},
		{"noatime,atime", 0, atimes},
		{"strictatime,atime", strict, atimes},
		{"nostrictatime", 0, atimes},
		{"strictatime,nostrictatime", 0, atimes},
		{"noatime,nostrictatime", noatime, atimes},
		{"norelatime", 0, 0},
		{"noatime,norelatime", noatime, atimes},
	} {
		options := strings.Split(test.options, ",")
		want := config.MountAttr{Set: test.set, Clear: test.clear}
		if m, err := mountWith(options...); err != nil || m.Attr != want || m.RecAttr != (config.MountAttr{}) {
			t.Errorf("%s: %+v, %v; want %+v", test.options, m, err, want)
		}
		if strings.HasPrefix(test.options, "defaults") {
			continue
		}
		for i := range options {
			if options[i] != "" {
				options[i] = "r" + options[i]
			}
		}
		if m, err := mountWith(options...); err != nil || m.RecAttr != want || m.Attr != (config.MountAttr{}) {
			t.Errorf("%q: %+v, %v; want %+v", options, m, err, want)
		}
	}
}

// TestEveryOption lists the effect of each option, in one line, on a new tmpfs
// and on a bind mount, or why it is refused.
func TestEveryOption(t *testing.T) {
	for _, row := range mountOptions {
		m, err := convertOne(optionExample(row))
		if err != nil {
			t.Errorf("%q: %v", row.name, err)
			continue
		}
		if len(m.Data) > 0 {
			t.Errorf("%q is passed to the file system", row.name)
		}
		without, linux := optionExample(row)
		without.Options = without.Options[1:]
		untouched, _ := convertOne(without, linux)
		if same := reflect.DeepEqual(m, untouched); same != slices.Contains([]string{"defaults", "loud", "silent", "norelatime", "rnorelatime", "noiversion", "copy", "nocopy"}, row.name) {
			t.Errorf("%q: changes something: %t", row.name, !same)
		}
	}
}

// optionExample returns a mount that accepts the option.
func optionExample(row mountOption) (specs.Mount, *specs.Linux) {
	m := specs.Mount{Destination: "/d", Type: "tmpfs", Source: "s", Options: []string{row.name}}
	var linux *specs.Linux
	switch row.kind {
	case optBindWay:
		m.Options = append(m.Options, "bind")
	case optIDMap:
		linux = &specs.Linux{UIDMappings: []specs.LinuxIDMapping{{Size: 1}}}
	}
	return m, linux
}

func TestOptionFlags(t *testing.T) {
	for _, test := range []struct {
		options string
		want    string
	}{
		{"ro", "ro"},
		{"ro,rw", "rw"},
		{"ro,nosuid,ro", "ro"},
		{"sync,dirsync,lazytime,mand", "sync,dirsync,lazytime,mand"},
		{"sync,async,lazytime,nolazytime,mand,nomand", "async,nolazytime,nomand"},
		{"iversion", "iversion"},
		{"iversion,noiversion", ""},
		{"silent,loud", ""},
	} {
		m, err := mountWith(strings.Split(test.options, ",")...)
		if got := strings.Join(m.Flags, ","); err != nil || got != test.want {
			t.Errorf("%s: %s, %v", test.options, got, err)
		}
	}
}

func TestOptionPropagation(t *testing.T) {
	m, err := mountWith("rprivate", "shared", "slave", "runbindable")
	want := []uint64{unix.MS_PRIVATE | unix.MS_REC, unix.MS_SHARED, unix.MS_SLAVE, unix.MS_UNBINDABLE | unix.MS_REC}
	if err != nil || !slices.Equal(m.Propagation, want) {
		t.Errorf("%#x, %v", m.Propagation, err)
	}
}

func TestOptionData(t *testing.T) {
	m, err := mountWith("size=64k", "ro", "", "mode=700", "size=1k")
	if err != nil || !slices.Equal(m.Data, []string{"size=64k", "mode=700", "size=1k"}) {
		t.Errorf("%q, %v", m.Data, err)
	}
}

func TestBindMounts(t *testing.T) {
	for _, test := range []struct {
		options   []string
		recursive bool
	}{
		{[]string{"bind"}, false},
		{[]string{"rbind"}, true},
		{[]string{"bind", "rbind", "bind"}, true},
		{[]string{"nosuid", "ro", "rbind", "defaults", "", "rprivate"}, true},
	} {
		m, err := mountWith(test.options...)
		if err != nil || !m.Bind || m.Recursive != test.recursive || m.Type != "" || m.Source != "/bundle/s" || m.Flags != nil {
			t.Errorf("%q: %+v, %v", test.options, m, err)
		}
	}
}
