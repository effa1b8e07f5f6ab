package specconv

import (
	"slices"
	"strings"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
)

// optionKind is the kind of change that a mount option makes.
type optionKind uint8

const (
	// optNothing is accepted and changes nothing, for the reason in the row.
	optNothing optionKind = iota
	// optAttr sets and clears attributes of the mount.
	optAttr
	// optRecAttr does so for all mounts below too.
	optRecAttr
	// optFlag sets a flag of the superblock: the kernel gets the word.
	optFlag
	// optPropagation sets the MS_* propagation in set.
	optPropagation
	// optBind and optRemount select the kind of mount.
	optBind
	optRemount
	// optCopyUp fills a new tmpfs with the files below it.
	optCopyUp
	// optIDMap maps owners.
	optIDMap
	// optBindWay changes how a bind mount is made, by the row's flag.
	optBindWay
)

// mountOption is one option string of mounts[].options.
type mountOption struct {
	name string
	kind optionKind
	// set and clear are MOUNT_ATTR_* flags, or as the kind says.
	set, clear uint64
	// unless are attributes: the option has no effect if an earlier one set
	// them.
	unless uint64
	// opposite is the superblock flag that this one clears.
	opposite string
	// way is the field that an optBindWay sets.
	way func(*config.Mount) *bool
}

const (
	attrAtime  = unix.MOUNT_ATTR__ATIME
	attrStrict = unix.MOUNT_ATTR_STRICTATIME
)

// mountOptions is the table of config.md, Linux mount options, sorted, with
// crun's copy-symlink, dest-nofollow and src-nofollow.
//
// Three access time modes share a field of the attributes in which relatime,
// the kernel's default, is 0: mount_setattr(2) requires that the whole field is
// cleared before one is set. So "atime", "nostrictatime" and "norelatime" can
// only reset to relatime, as mount(8) does, and the last one has no effect.
var mountOptions = []mountOption{
	{name: "async", kind: optFlag, opposite: "sync"},
	{name: "atime", kind: optAttr, clear: attrAtime, unless: attrStrict},
	{name: "bind", kind: optBind},
	{name: "copy"}, // as nocopy
	{name: "copy-symlink", kind: optBindWay, way: func(m *config.Mount) *bool { return &m.CopySymlink }},
	{name: "defaults"}, // rw, suid, dev, exec, async: the defaults
	{name: "dest-nofollow", kind: optBindWay, way: func(m *config.Mount) *bool { return &m.DestNoFollow }},
	{name: "dev", kind: optAttr, clear: unix.MOUNT_ATTR_NODEV},
	{name: "diratime", kind: optAttr, clear: unix.MOUNT_ATTR_NODIRATIME},
	{name: "dirsync", kind: optFlag},
	{name: "exec", kind: optAttr, clear: unix.MOUNT_ATTR_NOEXEC},
	{name: "idmap", kind: optIDMap},
	{name: "iversion", kind: optFlag},
	{name: "lazytime", kind: optFlag, opposite: "nolazytime"},
	{name: "loud"}, // as silent
	{name: "mand", kind: optFlag, opposite: "nomand"},
	{name: "noatime", kind: optAttr, set: unix.MOUNT_ATTR_NOATIME, clear: attrAtime},
	{name: "nocopy"}, // about the filling of a volume, which Podman has done: before 5.6 it passes the option on
	{name: "nodev", kind: optAttr, set: unix.MOUNT_ATTR_NODEV},
	{name: "nodiratime", kind: optAttr, set: unix.MOUNT_ATTR_NODIRATIME},
	{name: "noexec", kind: optAttr, set: unix.MOUNT_ATTR_NOEXEC},
	{name: "noiversion", kind: optFlag, opposite: "iversion"},
	{name: "nolazytime", kind: optFlag, opposite: "lazytime"},
	{name: "nomand", kind: optFlag, opposite: "mand"},
	{name: "norelatime"},
	{name: "nostrictatime", kind: optAttr, clear: attrAtime, unless: unix.MOUNT_ATTR_NOATIME},
	{name: "nosuid", kind: optAttr, set: unix.MOUNT_ATTR_NOSUID},
	{name: "nosymfollow", kind: optAttr, set: unix.MOUNT_ATTR_NOSYMFOLLOW}, // the attribute since Linux 5.14
	{name: "private", kind: optPropagation, set: unix.MS_PRIVATE},
	{name: "ratime", kind: optRecAttr, clear: attrAtime, unless: attrStrict},
	{name: "rbind", kind: optBind, set: unix.MS_REC},
	{name: "rdev", kind: optRecAttr, clear: unix.MOUNT_ATTR_NODEV},
	{name: "rdiratime", kind: optRecAttr, clear: unix.MOUNT_ATTR_NODIRATIME},
	{name: "relatime", kind: optAttr, clear: attrAtime},
	{name: "remount", kind: optRemount},
	{name: "rexec", kind: optRecAttr, clear: unix.MOUNT_ATTR_NOEXEC},
	{name: "ridmap", kind: optIDMap, set: unix.MS_REC},
	{name: "rnoatime", kind: optRecAttr, set: unix.MOUNT_ATTR_NOATIME, clear: attrAtime},
	{name: "rnodev", kind: optRecAttr, set: unix.MOUNT_ATTR_NODEV},
	{name: "rnodiratime", kind: optRecAttr, set: unix.MOUNT_ATTR_NODIRATIME},
	{name: "rnoexec", kind: optRecAttr, set: unix.MOUNT_ATTR_NOEXEC},
	{name: "rnorelatime"},
	{name: "rnostrictatime", kind: optRecAttr, clear: attrAtime, unless: unix.MOUNT_ATTR_NOATIME},
	{name: "rnosuid", kind: optRecAttr, set: unix.MOUNT_ATTR_NOSUID},
	{name: "rnosymfollow", kind: optRecAttr, set: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{name: "ro", kind: optAttr, set: unix.MOUNT_ATTR_RDONLY, opposite: "rw"},
	{name: "rprivate", kind: optPropagation, set: unix.MS_PRIVATE | unix.MS_REC},
	{name: "rrelatime", kind: optRecAttr, clear: attrAtime},
	{name: "rro", kind: optRecAttr, set: unix.MOUNT_ATTR_RDONLY},
	{name: "rrw", kind: optRecAttr, clear: unix.MOUNT_ATTR_RDONLY},
	{name: "rshared", kind: optPropagation, set: unix.MS_SHARED | unix.MS_REC},
	{name: "rslave", kind: optPropagation, set: unix.MS_SLAVE | unix.MS_REC},
	{name: "rstrictatime", kind: optRecAttr, set: attrStrict, clear: attrAtime},
	{name: "rsuid", kind: optRecAttr, clear: unix.MOUNT_ATTR_NOSUID},
	{name: "rsymfollow", kind: optRecAttr, clear: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{name: "runbindable", kind: optPropagation, set: unix.MS_UNBINDABLE | unix.MS_REC},
	{name: "rw", kind: optAttr, clear: unix.MOUNT_ATTR_RDONLY, opposite: "ro"},
	{name: "shared", kind: optPropagation, set: unix.MS_SHARED},
	{name: "silent"}, // a mount by fsopen(2) reports errors to its descriptor only, not in the kernel's log
	{name: "slave", kind: optPropagation, set: unix.MS_SLAVE},
	{name: "src-nofollow", kind: optBindWay, way: func(m *config.Mount) *bool { return &m.SourceNoFollow }},
	{name: "strictatime", kind: optAttr, set: attrStrict, clear: attrAtime},
	{name: "suid", kind: optAttr, clear: unix.MOUNT_ATTR_NOSUID},
	{name: "symfollow", kind: optAttr, clear: unix.MOUNT_ATTR_NOSYMFOLLOW},
	{name: "sync", kind: optFlag, opposite: "async"},
	{name: "tmpcopyup", kind: optCopyUp},
	{name: "unbindable", kind: optPropagation, set: unix.MS_UNBINDABLE},
}

// MountOptions returns the supported values of mounts[].options, sorted,
// without those of file systems.
func MountOptions() []string {
	names := make([]string, 0, len(mountOptions))
	for _, row := range mountOptions {
		names = append(names, row.name)
	}
	return names
}

// lookupOption finds a row of the table, or nil.
func lookupOption(name string) *mountOption {
	i, ok := slices.BinarySearchFunc(mountOptions, name, func(row mountOption, name string) int {
		return strings.Compare(row.name, name)
	})
	if !ok {
		return nil
	}
	return &mountOptions[i]
}

// apply changes a mount as one option says.
func (o *mountOption) apply(m *config.Mount) {
	switch o.kind {
	case optNothing:
	case optAttr:
		o.change(&m.Attr)
		if o.opposite != "" {
			o.flag(m)
		}
	case optRecAttr:
		o.change(&m.RecAttr)
	case optFlag:
		o.flag(m)
	case optPropagation:
		m.Propagation = append(m.Propagation, o.set)
	case optBind:
		m.Bind = true
		m.Recursive = m.Recursive || o.set&unix.MS_REC != 0
	case optRemount:
		m.Remount = true
	case optCopyUp:
		m.CopyUp = true
	case optIDMap:
		m.IDMap = &config.IDMap{Recursive: o.set&unix.MS_REC != 0}
	case optBindWay:
		*o.way(m) = true
	}
}

// change applies an option to attributes: the last option counts.
func (o *mountOption) change(attr *config.MountAttr) {
	if attr.Set&o.unless != 0 {
		return
	}
	attr.Set = attr.Set&^o.clear | o.set
	attr.Clear = attr.Clear&^o.set | o.clear
}

// flag sets a superblock flag, and removes its opposite.
func (o *mountOption) flag(m *config.Mount) {
	m.Flags = slices.DeleteFunc(m.Flags, func(f string) bool { return f == o.opposite || f == o.name })
	if o.name != "noiversion" { // mount(2) has no flag for it
		m.Flags = append(m.Flags, o.name)
	}
}
