package setup

import (
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/internal/scheduling"
	"github.com/berth-oci/berth/libcontainer/config"
)

// fact is a property of a job that selects its steps.
type fact struct {
	name  string
	holds func(*job) bool
	// in are the operations in which the fact can hold.
	in operation
	// implies is another fact that always holds if this one does.
	implies *fact
}

// condition requires that a fact holds, or that it does not. Facts and conditions
// are literals: the linker makes them, not code at start-up.
type condition struct {
	not bool
	*fact
}

// Values of condition.not, to write {is, &fact} and {isNot, &fact}.
const (
	is    = false
	isNot = true
)

func (c condition) String() string {
	if c.not {
		return "not " + c.name
	}
	return c.name
}

const anyOperation = ^operation(0)

// Facts about the job as a whole.
var (
	privileged = fact{name: "root", in: anyOperation, holds: func(j *job) bool { return j.root }}
	detaches   = fact{name: "detached", in: inCreate, holds: func(j *job) bool { return j.detach }}
	drives     = fact{name: "started by its creator", in: inStart, holds: func(j *job) bool { return j.attached != nil }}
)

// Facts about cgroups and limits.
var (
	usesSystemd = fact{name: "systemd cgroup", in: anyOperation, holds: func(j *job) bool { return j.cfg.SystemdCgroup }}
	usesResctrl = fact{name: "linux.intelRdt", in: anyOperation, holds: func(j *job) bool { return j.cfg.IntelRdt != nil }}
	// unitFirst: the stub must be in its unit before it forks or changes its user.
	unitFirst = fact{name: "systemd cgroup, and user namespace or fork", in: inCreate, implies: &usesSystemd, holds: func(j *job) bool {
		return j.cfg.SystemdCgroup && (hasUserNamespace(j.cfg) || j.plan.Fork)
	}}
	delegatesCgroup  = fact{name: "cgroup mounted for writing", in: anyOperation, holds: func(j *job) bool { return mountsOwnCgroup(j.cfg) }}
	limitsResources  = fact{name: "process.rlimits", in: anyOperation, holds: func(j *job) bool { return len(j.cfg.Process.Rlimits) > 0 }}
	scoresOOM        = fact{name: "process.oomScoreAdj", in: anyOperation, holds: func(j *job) bool { return j.cfg.Process.OOMScoreAdj != nil }}
	prioritizesIO    = fact{name: "process.ioPriority", in: anyOperation, holds: func(j *job) bool { return j.cfg.Process.IOPriority != nil }}
	schedules        = fact{name: "process.scheduler", in: anyOperation, holds: func(j *job) bool { return j.cfg.Process.Scheduler != nil }}
	hasMemoryPolicy  = fact{name: "linux.memoryPolicy", in: anyOperation, holds: func(j *job) bool { return j.cfg.MemoryPolicy != nil }}
	hasPersonality   = fact{name: "linux.personality", in: anyOperation, holds: func(j *job) bool { return j.cfg.Personality != nil }}
	realTime         = fact{name: "real-time policy", in: anyOperation, implies: &schedules, holds: func(j *job) bool { return wantsRealTime(j.cfg) }}
	hasAffinity      = fact{name: "process.execCPUAffinity", in: inExec, holds: func(j *job) bool { return j.affinity() != nil }}
	hasFinalAffinity = fact{name: "process.execCPUAffinity.final", in: inExec, implies: &hasAffinity, holds: func(j *job) bool {
		return j.affinity() != nil && len(j.affinity().Final) > 0
	}}
)

// Facts about namespaces.
var (
	userNamespace = fact{name: "user namespace", in: anyOperation, holds: func(j *job) bool { return hasUserNamespace(j.cfg) }}
	// joinsUser is of create only: other operations join the namespaces of init.
	joinsUser = fact{name: "user namespace by path", in: inCreate, implies: &userNamespace, holds: func(j *job) bool {
		return j.op == inCreate && j.plan.User != nil
	}}
	foreignMaps = fact{name: "user namespace with mappings of its own", in: anyOperation &^ inCreate, implies: &userNamespace, holds: func(j *job) bool {
		return j.op != inCreate && hasUserNamespace(j.cfg) && len(j.cfg.UIDMappings) == 0
	}}
	hasPids            = fact{name: "pid namespace", in: anyOperation, holds: func(j *job) bool { return hasPidNamespace(j.cfg) }}
	joinsNamespaces    = fact{name: "namespaces by path", in: anyOperation, holds: func(j *job) bool { return len(j.cfg.Namespaces.Join) > 0 }}
	newTimeNamespace   = fact{name: "new time namespace", in: anyOperation, holds: func(j *job) bool { return j.cfg.Namespaces.New&unix.CLONE_NEWTIME != 0 }}
	newNetwork         = fact{name: "new network namespace", in: anyOperation, holds: func(j *job) bool { return j.cfg.Namespaces.New&unix.CLONE_NEWNET != 0 }}
	newCgroupNamespace = fact{name: "new cgroup namespace", in: inCreate, holds: func(j *job) bool { return j.plan.Cgroup }}
	unshares           = fact{name: "new namespaces", in: inCreate, holds: func(j *job) bool { return j.plan.Unshare != 0 }}
	forks              = fact{name: "pid or time namespace to fork into", in: inCreate, holds: func(j *job) bool { return j.plan.Fork }}
	named              = fact{name: "hostname or domainname", in: anyOperation, holds: func(j *job) bool { return j.cfg.Hostname != "" || j.cfg.Domainname != "" }}
	movesDevices       = fact{name: "linux.netDevices", in: anyOperation, holds: func(j *job) bool { return len(j.cfg.NetDevices) > 0 }}
	setsSysctls        = fact{name: "linux.sysctl", in: anyOperation, holds: func(j *job) bool { return len(j.cfg.Sysctls) > 0 }}
)

// Facts about the root file system.
var (
	ownMounts           = fact{name: "mount namespace of its own", in: anyOperation, holds: func(j *job) bool { return j.cfg.Namespaces.New&unix.CLONE_NEWNS != 0 }}
	notifies            = fact{name: "notify socket", in: anyOperation, holds: func(j *job) bool { return j.cfg.Notify }}
	protects            = fact{name: "masked or read-only paths", in: anyOperation, holds: func(j *job) bool { return len(j.cfg.MaskedPaths)+len(j.cfg.ReadonlyPaths) > 0 }}
	readonlyDev         = fact{name: "read-only /dev", in: anyOperation, holds: func(j *job) bool { return rootfs.HasReadonlyDev(j.cfg) }}
	readonlyRoot        = fact{name: "root.readonly", in: anyOperation, holds: func(j *job) bool { return j.cfg.ReadonlyRootfs }}
	noPivot             = fact{name: "--no-pivot", in: anyOperation, holds: func(j *job) bool { return j.cfg.NoPivot }}
	hasWorkingDirectory = fact{name: "process.cwd is not /", in: anyOperation, holds: func(j *job) bool { return j.cfg.Process.Cwd != "/" }}
	undoesMounts        = fact{name: "mounts add has failed", in: inRemoveMounts, holds: func(j *job) bool { return j.added != nil }}
	// addsProcfs: a procfs shows the pid namespace of the process that mounts it.
	addsProcfs = fact{name: "a procfs is added", in: anyOperation, holds: func(j *job) bool { return mountsProcfs(j.cfg) }}
)

// Facts about the program and its hooks.
var (
	filters        = fact{name: "linux.seccomp", in: anyOperation, holds: func(j *job) bool { return j.cfg.Seccomp != nil }}
	labeled        = fact{name: "security labels", in: anyOperation, holds: func(j *job) bool { return !labels(j.cfg).None() }}
	ownKeyring     = fact{name: "keyring of its own", in: anyOperation, holds: func(j *job) bool { return !j.cfg.SharedKeyring }}
	hasTerminal    = fact{name: "process.terminal", in: anyOperation, holds: func(j *job) bool { return j.cfg.Process.Terminal }}
	passesSockets  = fact{name: "LISTEN_FDS", in: anyOperation, holds: func(j *job) bool { return j.cfg.ListenFDs > 0 }}
	needsHome      = fact{name: "no HOME in process.env", in: anyOperation, holds: func(j *job) bool { return !slices.ContainsFunc(j.cfg.Process.Env, isHome) }}
	runtimeHooks   = fact{name: "prestart or createRuntime hooks", in: anyOperation, holds: func(j *job) bool { return j.cfg.Hooked(config.Prestart) || j.cfg.Hooked(config.CreateRuntime) }}
	createHooks    = fact{name: "createContainer hooks", in: anyOperation, holds: func(j *job) bool { return j.cfg.Hooked(config.CreateContainer) }}
	startHooks     = fact{name: "startContainer hooks", in: anyOperation, holds: func(j *job) bool { return j.cfg.Hooked(config.StartContainer) }}
	poststartHooks = fact{name: "poststart hooks", in: anyOperation, holds: func(j *job) bool { return j.cfg.Hooked(config.Poststart) }}
)

func hasUserNamespace(c *config.Config) bool { return c.Namespaces.Has(unix.CLONE_NEWUSER) }

func hasPidNamespace(c *config.Config) bool { return c.Namespaces.Has(unix.CLONE_NEWPID) }

func mountsProcfs(c *config.Config) bool {
	return hasPidNamespace(c) && slices.ContainsFunc(c.Mounts, func(m config.Mount) bool { return m.Type == "proc" && !m.Bind })
}

func wantsRealTime(c *config.Config) bool {
	return c.Process.Scheduler != nil && scheduling.RealTime(c.Process.Scheduler)
}

func isHome(entry string) bool { return strings.HasPrefix(entry, "HOME=") }

// mountsOwnCgroup reports whether the container owns its cgroup: the cgroup is the
// root of its cgroup namespace and mounted for writing (config-linux.md, Cgroup
// ownership).
func mountsOwnCgroup(c *config.Config) bool {
	return c.Namespaces.New&unix.CLONE_NEWCGROUP != 0 && slices.ContainsFunc(c.Mounts, func(m config.Mount) bool {
		return m.Destination == "/sys/fs/cgroup" && (m.Type == "cgroup" || m.Type == "cgroup2") && m.Attr.Set&unix.MOUNT_ATTR_RDONLY == 0
	})
}
