// Package config holds the plain types of a checked container configuration:
// what specconv makes of config.json and what libcontainer builds a container
// from. Wherever the runtime specification's own struct means the same, it is
// used as it is; a type of berth's stands only where names have become
// numbers. The package has no behaviour but what makes an error say more, and
// meets no kernel.
package config

import "github.com/opencontainers/runtime-spec/specs-go"

// Config is one container, checked: every path in it is absolute and clean,
// every name known, every combination allowed.
type Config struct {
	// Bundle is the bundle directory on the host.
	Bundle string
	// Rootfs is the container's root file system on the host.
	Rootfs string
	// ReadonlyRootfs makes "/" read-only once everything in it is set up.
	ReadonlyRootfs bool
	// RootfsPropagation holds the MS_SHARED, MS_SLAVE, MS_PRIVATE or
	// MS_UNBINDABLE (with MS_REC) that "/" of the new mount namespace gets;
	// 0 asks for the default, MS_SLAVE|MS_REC.
	RootfsPropagation uint64

	Hostname   string
	Domainname string

	Namespaces Namespaces
	// UIDMappings and GIDMappings are the ids of a new user namespace; of one
	// that is joined they are what config.json claims, and may be empty.
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
	// Resources may be nil: nothing is limited then.
	Resources *specs.LinuxResources

	Process Process
	// Personality is what personality(2) takes, nil to leave it as it is.
	Personality *uint32
	// Sysctls are in no order that matters.
	Sysctls []Sysctl
	// MountLabel is the SELinux label that the mounts have, in their Data or as
	// their Label; empty for none.
	MountLabel string
	// NetDevices are the runtime's network devices that become the
	// container's.
	NetDevices []NetDevice
	// IntelRdt may be nil: no resctrl file system is touched then.
	IntelRdt *specs.LinuxIntelRdt
	// MemoryPolicy may be nil: the kernel's default then.
	MemoryPolicy *MemoryPolicy

	// Seccomp may be nil: no system call is filtered then.
	Seccomp *Seccomp

	// KeepGroups leaves processes the supplementary groups of the runtime, in
	// the place of those of Process.
	KeepGroups bool

	// Hooks may be nil. Their paths are absolute.
	Hooks *specs.Hooks
	// HookOutput are the absolute paths of the files on the host that standard
	// output and standard error of hooks are added to; empty for none.
	HookOutput [2]string
	// HookFunctions run behind the commands of their kind. They are not part
	// of what is saved: only the process that created the container has them.
	HookFunctions map[HookKind][]HookFunction `json:"-"`

	// Annotations may be nil.
	Annotations map[string]string

	// What follows is not in config.json: the caller of create asks for it.

	// NoPivot moves the root onto "/" instead of pivot_root(2), which a host
	// whose "/" is a ramdisk does not allow.
	NoPivot bool
	// SystemdCgroup has systemd make the cgroup, as a unit, instead of making
	// its directories.
	SystemdCgroup bool
	// SharedKeyring leaves the program the session keyring of the caller.
	SharedKeyring bool
	// Notify gives the program a socket by which it can tell, as sd_notify(3)
	// does, that it is ready.
	Notify bool
	// ListenFDs are how many of the program's descriptors, from 3 on, are
	// sockets that it is told of as sd_listen_fds(3) expects.
	ListenFDs int
}

// Namespaces says which namespaces are made and which are joined. One that is
// in neither is shared with the runtime.
type Namespaces struct {
	// New is a mask of CLONE_NEW* flags.
	New uint64
	// Join has at most one entry a type, none of them also in New.
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

// Has reports whether the container has a namespace of this CLONE_NEW* type
// of its own, new or joined.
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

// TimeOffset is how far a clock of a time namespace is ahead.
type TimeOffset struct {
	// Clock is its name, e.g. "monotonic".
	Clock    string
	Secs     int64
	Nanosecs uint32
}

// Mount is one entry of config.json's mounts.
type Mount struct {
	// Field is its place in config.json, e.g. "mounts[3]".
	Field string
	// Source is absolute for a bind mount, free text otherwise.
	Source string
	// Destination is absolute and clean.
	Destination string
	// Type is the file system; empty for a bind mount.
	Type string
	// Bind is set for bind and rbind, Recursive for rbind.
	Bind      bool
	Recursive bool
	// Attr applies to the mount itself, RecAttr (the r* options) to it and
	// all mounts below.
	Attr    MountAttr
	RecAttr MountAttr
	// Propagation holds MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE,
	// each possibly with MS_REC, in the order given.
	Propagation []uint64
	// Remount changes the mount that is already at Destination: its
	// attributes and, unless Bind is set too, its superblock. Type may be
	// empty then.
	Remount bool
	// Flags are superblock flags by the names that FSCONFIG_SET_FLAG takes:
	// "ro" or "rw", "sync" or "async", "mand" or "nomand", "lazytime" or
	// "nolazytime", "dirsync"; and "iversion", which only mount(2) knows.
	// Of each pair the last one asked for is here; none for a bind mount.
	// "ro" is in Attr too: it says both.
	Flags []string
	// Data are the options that are the file system's own, e.g. "size=64k",
	// one in each element; a value that has commas may be in double quotes.
	Data []string
	// CopyUp copies what the image has at the destination into a new tmpfs.
	CopyUp bool
	// SourceNoFollow binds a symbolic link itself, not what it leads to;
	// DestNoFollow does so for one at Destination, which is covered.
	SourceNoFollow bool
	DestNoFollow   bool
	// Label is the SELinux label that the root of the file system gets; empty
	// where the policy, or a context among Data, says it.
	Label string
	// CopySymlink makes a link like the one at Source, if there is one,
	// instead of a mount.
	CopySymlink bool
	// IDMap unless nil maps the owners of the mount's files.
	IDMap *IDMap
}

// IDMap is a mapping of owners for a mount.
type IDMap struct {
	// Recursive maps the mounts below too.
	Recursive bool
	// UIDs and GIDs map ids of the file system (ContainerID) to ids on the
	// host (HostID). Both are empty for the mapping of the container's user
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

// Device is a device node, or a fifo, to be made in the container.
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
	// AdditionalGIDs may be empty: all supplementary groups are dropped then.
	AdditionalGIDs []uint32
	// Umask is 0022 unless config.json says otherwise.
	Umask uint32
	// Args has at least one element.
	Args []string
	// Env entries all have the form KEY=VALUE, the last of a key only.
	Env []string
	// Cwd is absolute and clean.
	Cwd             string
	Capabilities    Capabilities
	NoNewPrivileges bool
	Rlimits         []Rlimit
	// OOMScoreAdj is written to /proc/PID/oom_score_adj unless nil.
	OOMScoreAdj *int
	// Scheduler may be nil: the process is scheduled like the runtime then.
	Scheduler *Scheduler
	// IOPriority is the value that ioprio_set(2) takes, nil for the default.
	IOPriority *int
	// AppArmorProfile and SELinuxLabel may be empty: the program runs under
	// what the kernel's policies have for it then.
	AppArmorProfile string
	SELinuxLabel    string
	// ExecAffinity is for processes that are executed in a running container;
	// nil leaves them all of its CPUs.
	ExecAffinity *ExecAffinity
	// Warnings are to be logged, one line each: what config.json asks for in
	// vain where the specification wants a warning rather than an error.
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

// Scheduler is what sched_setattr(2) takes.
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

// ExecAffinity has two masks of CPUs, bit N of all words together for CPU N;
// one that is empty changes nothing.
type ExecAffinity struct {
	// Initial is for the time until the process is in the container's cgroup,
	// Final from then on.
	Initial []uint64
	Final   []uint64
}

// MemoryPolicy is what set_mempolicy(2) takes.
type MemoryPolicy struct {
	// Mode is the mode and its flags.
	Mode int
	// Nodes has bit N of all words together for node N.
	Nodes []uint64
}

// Seccomp is the filter of the container's system calls.
type Seccomp struct {
	// Profile is what is compiled when the container is created. It is not
	// part of what is saved: the filter itself is.
	Profile *specs.LinuxSeccomp `json:"-"`
	// Flags are SECCOMP_FILTER_FLAG_* for seccomp(2).
	Flags uint32
	// Notify says that the filter has a listener, which is sent to the unix
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

// NetDevice is a network device that is moved into the container's network
// namespace.
type NetDevice struct {
	// Field is its place in config.json, e.g. "linux.netDevices.eth0".
	Field string
	// Host is its name where the runtime is.
	Host string
	// Name is its name in the container: with "%d" the kernel puts in the
	// first number that is free there; empty keeps the one that it has.
	Name string
}
