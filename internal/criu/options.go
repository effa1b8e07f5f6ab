package criu

import "os"

// Options are those of a request (criu_opts of CRIU's rpc.proto). The zero value of a
// field is CRIU's default.
type Options struct {
	// Images and Work are directories: for the image, and for CRIU's log.
	Images, Work *os.File
	// LogFile is the name of the log in Work.
	LogFile string
	// ConfigFile is the path of a file with more options.
	ConfigFile string
	// Pid is the process to dump, with its descendants.
	Pid int
	// Root is the path of the root file system.
	Root string
	// ParentImage is the directory of an earlier dump, relative to Images.
	ParentImage string
	// FreezeCgroup is the cgroup that has the processes.
	FreezeCgroup string

	LeaveRunning     bool
	TCPEstablished   bool
	TCPSkipInFlight  bool
	TCPClose         bool
	ExtUnixSk        bool
	ShellJob         bool
	FileLocks        bool
	LinkRemap        bool
	AutoDedup        bool
	TrackMem         bool
	LazyPages        bool
	EvasiveDevices   bool
	OrphanPtsMaster  bool
	NetworkLock      NetworkLock
	Cgroups          CgroupMode
	PageServer       *PageServer
	Status           *os.File
	LSMProfile       string
	LSMMountContext  string
	EmptyNamespaces  uint64 // CLONE_NEW* flags
	External         []string
	ExternalMounts   []Pair
	CgroupRoots      []Pair   // hierarchy, as in /proc/PID/cgroup, and path
	Hierarchies      []string // to dump the cgroups of, as in /proc/PID/cgroup; empty: all
	JoinNamespaces   []Pair   // name, path
	Inherit          []Inherited
	RestoreAsSibling bool // init becomes a child of CRIU's parent
}

// Pair is a name and what it stands for.
type Pair struct{ Key, Value string }

// Inherited is a descriptor of the CRIU process that replaces a file of the image.
type Inherited struct {
	Key string
	FD  int
}

// PageServer is where memory pages are sent to.
type PageServer struct {
	Address string
	Port    int
}

// CgroupMode is what CRIU does with cgroups.
type CgroupMode int

// The modes of --manage-cgroups.
const (
	CgroupsDefault CgroupMode = 0 // soft
	CgroupsIgnore  CgroupMode = -1
	CgroupsSoft    CgroupMode = 3
	CgroupsFull    CgroupMode = 4
	CgroupsStrict  CgroupMode = 5
)

// NetworkLock is how CRIU stops network traffic during a dump.
type NetworkLock int

// The methods of --network-lock.
const (
	LockDefault  NetworkLock = 0
	LockIptables NetworkLock = 1
	LockNftables NetworkLock = 2
	LockSkip     NetworkLock = 3
)

// logLevel is CRIU's: debug messages. Errors alone do not explain a failure.
const logLevel = 4

// encode returns the message criu_opts; the numbers are those of rpc.proto.
func (o *Options) encode() message {
	var m message
	m.number(1, int64(descriptor(o.Images)))
	if o.Work != nil {
		m.number(17, int64(descriptor(o.Work)))
	}
	if o.Status != nil {
		m.number(49, int64(descriptor(o.Status)))
	}
	if o.Pid != 0 {
		m.number(2, int64(o.Pid))
	}
	m.number(9, logLevel)
	for _, f := range []struct {
		field int
		value string
	}{
		{10, o.LogFile},
		{13, o.Root},
		{14, o.ParentImage},
		{44, o.FreezeCgroup},
		{51, o.ConfigFile},
		{53, o.LSMProfile},
		{63, o.LSMMountContext},
	} {
		m.text(f.field, f.value)
	}
	for _, f := range []struct {
		field int
		value bool
	}{
		{3, o.LeaveRunning},
		{4, o.ExtUnixSk},
		{5, o.TCPEstablished},
		{6, o.EvasiveDevices},
		{7, o.ShellJob},
		{8, o.FileLocks},
		{12, true}, // notify_scripts
		{15, o.TrackMem},
		{16, o.AutoDedup},
		{18, o.LinkRemap},
		{26, o.RestoreAsSibling},
		{46, o.TCPSkipInFlight},
		{48, o.LazyPages},
		{50, o.OrphanPtsMaster},
		{52, o.TCPClose},
	} {
		m.flag(f.field, f.value)
	}
	o.encodeLists(&m)
	return m
}

// encodeLists appends the fields that are messages, lists and enums.
func (o *Options) encodeLists(m *message) {
	if o.PageServer != nil {
		var ps message
		ps.text(1, o.PageServer.Address)
		ps.number(2, int64(o.PageServer.Port))
		m.bytes(11, ps)
	}
	switch o.Cgroups {
	case CgroupsDefault:
		m.flag(24, true)
	case CgroupsIgnore:
		m.number(34, 0)
	default:
		m.flag(24, true)
		m.number(34, int64(o.Cgroups))
	}
	if o.NetworkLock != LockDefault {
		m.number(64, int64(o.NetworkLock))
	}
	if o.EmptyNamespaces != 0 {
		m.number(38, int64(o.EmptyNamespaces))
	}
	for _, list := range []struct {
		field int
		pairs []Pair
	}{{23, o.ExternalMounts}, {25, o.CgroupRoots}, {39, o.JoinNamespaces}} {
		for _, p := range list.pairs {
			var pair message
			pair.bytes(1, []byte(p.Key))
			pair.bytes(2, []byte(p.Value))
			m.bytes(list.field, pair)
		}
	}
	for _, i := range o.Inherit {
		var inherited message
		inherited.text(1, i.Key)
		inherited.number(2, int64(i.FD))
		m.bytes(27, inherited)
	}
	for _, e := range o.External {
		m.text(37, e)
	}
	for _, h := range o.Hierarchies {
		m.bytes(43, []byte(h)) // that of v2 has no name
	}
}

// descriptor returns the number of a descriptor of this process. CRIU opens it as
// /proc/PID/fd/N, PID being the process that made the socket.
func descriptor(f *os.File) int {
	if f == nil {
		return -1
	}
	return int(f.Fd())
}
