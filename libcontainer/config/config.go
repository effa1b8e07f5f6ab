// Package config has the types of a checked container configuration, which
// specconv makes of config.json and libcontainer uses. They are the runtime
// specification's own structs; berth has its own type only if names have become
// numbers. The package makes no system call; its only functions are about error
// messages.
package config

import "github.com/opencontainers/runtime-spec/specs-go"

// Config is one checked container: every path is absolute and clean, every name
// known, every combination allowed.
type Config struct {
	// Bundle is the bundle directory on the host.
	Bundle string
	// Rootfs is the container's root file system on the host.
	Rootfs string
	// ReadonlyRootfs makes "/" read-only once everything in it is set up.
	ReadonlyRootfs bool
	// RootfsPropagation has MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE
	// (with MS_REC) for "/" of the new mount namespace; 0 is the default,
	// MS_SLAVE|MS_REC.
	RootfsPropagation uint64

	Hostname   string
	Domainname string

	Namespaces Namespaces
	// UIDMappings and GIDMappings are the ids of a new user namespace. For a
	// joined one they are what config.json states, and may be empty.
	UIDMappings []specs.LinuxIDMapping
	GIDMappings []specs.LinuxIDMapping
	// TimeOffsets of a new time namespace, sorted by clock.
	TimeOffsets []TimeOffset

	// Mounts in the order of config.json.
	Mounts []Mount
	// Devices to make in /dev, the specification's default devices first.
	Devices []Device
	// MaskedPaths and ReadonlyPaths are paths in the container.
	MaskedPaths   []string
	ReadonlyPaths []string

	// CgroupsPath is linux.cgroupsPath as written; the cgroup driver
	// interprets it.
	CgroupsPath string
	// Resources is nil if nothing is limited.
	Resources *specs.LinuxResources

	Process Process
	// Personality is the argument of personality(2), nil for no change.
	Personality *uint32
	// The order of Sysctls does not matter.
	Sysctls []Sysctl
	// MountLabel is the SELinux label of the mounts, also in their Data or
	// Label; empty for none.
	MountLabel string
	// NetDevices are the network devices of the runtime to move into the
	// container.
	NetDevices []NetDevice
	// IntelRdt is nil if no resctrl file system is used.
	IntelRdt *specs.LinuxIntelRdt
	// MemoryPolicy is nil for the kernel's default.
	MemoryPolicy *MemoryPolicy

	// Seccomp is nil if no system call is filtered.
	Seccomp *Seccomp

	// KeepGroups lets processes keep the supplementary groups of the runtime
	// instead of those of Process.
	KeepGroups bool

	// Hooks may be nil. Their paths are absolute.
	Hooks *specs.Hooks
	// HookOutput are the absolute paths of the files on the host to which
	// standard output and standard error of hooks are appended; empty for none.
	HookOutput [2]string
	// HookFunctions run after the commands of their kind. They are not saved:
	// only the process that created the container has them.
	HookFunctions map[HookKind][]HookFunction `json:"-"`

	// Annotations may be nil.
	Annotations map[string]string

	// The fields below are not in config.json: the caller of create sets them.

	// NoPivot moves the root onto "/" instead of calling pivot_root(2), which
	// does not work on a host with a ramdisk as "/".
	NoPivot bool
	// SystemdCgroup lets systemd make the cgroup, as a unit.
	SystemdCgroup bool
	// SharedKeyring lets the program keep the session keyring of the caller.
	SharedKeyring bool
	// Notify provides a socket for readiness messages (sd_notify(3)).
	Notify bool
	// ListenFDs is the number of the program's descriptors, from 3 on, that are
	// sockets as in sd_listen_fds(3).
	ListenFDs int
}

// Namespaces are the namespaces to make and to join. The container shares the
// others with the runtime.
type Namespaces struct {
	// New is a mask of CLONE_NEW* flags.
	New uint64
	// Join has at most one entry per type, none of them also in New.
	Join []Namespace
}

// Namespace is an existing namespace that the container joins.
type Namespace struct {
	// Type is a CLONE_NEW* flag.
	Type uint64
	// Path of the namespace file on the host, e.g. /proc/1/ns/net.
	Path string
	// Field is the place in config.json, e.g. "linux.namespaces[1].path".
	Field string
}

// Has reports whether the container has its own namespace of this CLONE_NEW*
// type, new or joined.
func (n Namespaces) Has(flag uint64) bool {
	if n.New&flag != 0 {
		return true
	}
	for _, j := range n.Join {
		if j.Type == flag {
			return true
		}
	}
	return false
}

// TimeOffset is the offset of a clock in a time namespace.
type TimeOffset struct {
	// Clock is its name, e.g. "monotonic".
	Clock    string
	Secs     int64
	Nanosecs uint32
}

// Mount is an entry of mounts in config.json.
type Mount struct {
	// Field is its place in config.json, e.g. "mounts[3]".
	Field string
	// Source is absolute for a bind mount, any text otherwise.
	Source string
	// Destination is absolute and clean.
	Destination string
	// Type is the file system; empty for a bind mount.
	Type string
	// Bind is set for bind and rbind, Recursive for rbind.
	Bind      bool
	Recursive bool
	// Attr applies to the mount itself, RecAttr (the r* options) to it and to
	// all mounts below.
	Attr    MountAttr
	RecAttr MountAttr
	// Propagation holds MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE,
	// each possibly with MS_REC, in the order given.
	Propagation []uint64
	// Remount changes the mount at Destination: its attributes and, unless Bind
	// is set too, its superblock. Type may be empty then.
	Remount bool
	// Flags are superblock flags by the names of FSCONFIG_SET_FLAG: "ro" or
	// "rw", "sync" or "async", "mand" or "nomand", "lazytime" or "nolazytime",
	// "dirsync"; and "iversion", which only mount(2) knows. The last one of
	// each pair counts; a bind mount has none. "ro" is in Attr too, because it
	// means both.
	Flags []string
	// Data are the file system's own options, e.g. "size=64k", one in each
	// element; a value that has commas may be in double quotes.
	Data []string
	// CopyUp copies the image's content at the destination into a new tmpfs.
	CopyUp bool
	// SourceNoFollow binds a symbolic link itself instead of its target.
	// DestNoFollow mounts over a symbolic link at Destination.
	SourceNoFollow bool
	DestNoFollow   bool
	// Label is the SELinux label for the root of the file system; empty if the
	// policy, or a context in Data, decides.
	Label string
	// CopySymlink makes a link like the one at Source instead of a mount, if
	// Source is one.
	CopySymlink bool
	// IDMap maps the owners of the mount's files unless nil.
	IDMap *IDMap
}

// IDMap is a mapping of owners for a mount.
type IDMap struct {
	// Recursive maps the mounts below too.
	Recursive bool
	// UIDs and GIDs map ids of the file system (ContainerID) to ids on the host
	// (HostID). Both are empty for the mapping of the container's user
	// namespace.
	UIDs []specs.LinuxIDMapping
	GIDs []specs.LinuxIDMapping
}

// MountAttr is a change of mount attributes in the terms of mount_setattr(2):
// MOUNT_ATTR_* flags to set and to clear.
type MountAttr struct {
	Set   uint64
	Clear uint64
}

// Device is a device node, or a fifo, to make in the container.
type Device struct {
	// Field is its place in config.json, e.g. "linux.devices[0]"; empty for
	// a default device.
	Field string
	// Path is absolute, e.g. /dev/null.
	Path string
	// Mode holds the type (S_IFCHR, S_IFBLK, S_IFIFO) and the permissions.
	Mode  uint32
	Major uint32
	Minor uint32
	UID   uint32
	GID   uint32
}

// Process is the process to run: that of config.json, with names resolved.
type Process struct {
	Terminal    bool
	ConsoleSize *specs.Box
	UID         uint32
	GID         uint32
	// AdditionalGIDs may be empty: then all supplementary groups are dropped.
	AdditionalGIDs []uint32
	// Umask is 0022 unless config.json says otherwise.
	Umask uint32
	// Args has at least one element.
	Args []string
	// Env entries have the form KEY=VALUE; only the last of a key is here.
	Env []string
	// Cwd is absolute and clean.
	Cwd             string
	Capabilities    Capabilities
	NoNewPrivileges bool
	Rlimits         []Rlimit
	// OOMScoreAdj is written to /proc/PID/oom_score_adj unless nil.
	OOMScoreAdj *int
	// Scheduler is nil for the scheduling of the runtime.
	Scheduler *Scheduler
	// IOPriority is the argument of ioprio_set(2), nil for the default.
	IOPriority *int
	// AppArmorProfile and SELinuxLabel are empty for the default of the
	// kernel's policies.
	AppArmorProfile string
	SELinuxLabel    string
	// ExecAffinity is for processes that exec adds to a running container; nil
	// for all CPUs.
	ExecAffinity *ExecAffinity
	// Warnings are log messages of one line each: fields of config.json that
	// have no effect, for which the specification wants a warning instead of an
	// error.
	Warnings []string
}

// Capabilities are the five sets, each a mask with bit N for capability N.
type Capabilities struct {
	Bounding    uint64
	Effective   uint64
	Inheritable uint64
	Permitted   uint64
	Ambient     uint64
}

// Rlimit is one resource limit.
type Rlimit struct {
	// Field is its place in config.json, e.g. "process.rlimits[0]".
	Field string
	// Resource is an RLIMIT_* number.
	Resource int
	Soft     uint64
	Hard     uint64
}

// Scheduler is the argument of sched_setattr(2).
type Scheduler struct {
	Policy   uint32
	Flags    uint64
	Nice     int32
	Priority uint32
	// Runtime, Deadline and Period are nanoseconds.
	Runtime  uint64
	Deadline uint64
	Period   uint64
}

// ExecAffinity has two masks of CPUs, bit N of all words together for CPU N; an
// empty one changes nothing.
type ExecAffinity struct {
	// Initial applies until the process is in the container's cgroup, Final
	// after that.
	Initial []uint64
	Final   []uint64
}

// MemoryPolicy is the argument of set_mempolicy(2).
type MemoryPolicy struct {
	// Mode is the mode and its flags.
	Mode int
	// Nodes has bit N of all words together for node N.
	Nodes []uint64
}

// Seccomp is the filter of the container's system calls.
type Seccomp struct {
	// Profile is compiled when the container is created. It is not saved: the
	// filter is.
	Profile *specs.LinuxSeccomp `json:"-"`
	// Flags are SECCOMP_FILTER_FLAG_* for seccomp(2).
	Flags uint32
	// Notify means that the filter has a listener, which is sent to the unix
	// socket at ListenerPath, an absolute path on the host, with Metadata.
	Notify       bool
	ListenerPath string
	Metadata     string
}

// Sysctl is a kernel parameter of one of the container's namespaces.
type Sysctl struct {
	// Field is its place in config.json, e.g. `linux.sysctl["net.core.somaxconn"]`.
	Field string
	// Path is relative to /proc/sys, and clean.
	Path  string
	Value string
}

// NetDevice is a network device to move into the container's network namespace.
type NetDevice struct {
	// Field is its place in config.json, e.g. "linux.netDevices.eth0".
	Field string
	// Host is its name in the runtime's network namespace.
	Host string
	// Name is its name in the container: the kernel replaces "%d" with the
	// first free number; empty keeps Host.
	Name string
}
