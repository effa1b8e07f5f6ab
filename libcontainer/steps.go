package libcontainer

import (
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/namespaces"
	"github.com/berth-oci/berth/libcontainer/rootfs"
)

// steps is all that happens between "config checked" and "the user's program
// runs", in order. docs/lifecycle.md is generated from it.
var steps = [...]step{
	{
		name: "reserve state", side: host, in: inCreate, ground: hostTree,
		do: reserveState, undo: undoState,
		why: "state is written before the first side effect, so that a container whose create was killed can be deleted",
	},
	{
		name: "make notify directory", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return c.Notify },
		do:   makeNotifyDir,
		why:  "to be mounted in the container: the socket in it comes and goes with those who listen",
	},
	{
		name: "make cgroup", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return !c.SystemdCgroup },
		do:   makeCgroup, undo: undoCgroup,
		why: "CLONE_INTO_CGROUP wants the directory when the stub starts (Linux 5.7)",
	},
	{
		name: "limit cgroup", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return !c.SystemdCgroup },
		do:   limitCgroup,
		why:  "begun here, it goes on beside the start of the stub",
	},
	{
		name: "make resctrl group", side: host, in: inCreate, ground: hostTree,
		when: hasResctrl,
		do:   makeResctrlGroup, undo: undoResctrlGroup,
		why: "in the state before it is made, so that delete finds it; undone when the stub, which is in it, has ended",
	},
	{
		name: "compile filter", side: host, in: inCreate, ground: hostTree,
		when: hasSeccomp,
		do:   compileFilter,
		why:  "begun here, it goes on beside the start of the stub; awaited with the limits",
	},
	{
		name: "start stub", side: host, in: inCreate, ground: hostTree,
		do: startStub, undo: undoStub,
		why: "not dumpable and without the caller's descriptors before it joins anything (CVE-2016-9962, CVE-2024-21626)",
	},
	{
		name: "start second stub", side: host, in: inSecond | inMounts, ground: hostTree,
		do: startSecond, undo: undoStub,
		why: "what gets into a container that exists does it like its first process: as a stub, step by step; on v2 it is born in the container's cgroup",
	},
	{
		name: "start unit", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return c.SystemdCgroup },
		do:   startUnit,
		why:  "systemd makes a scope around a process; begun here, with all limits, it goes on beside the stub's work; a scope that loses its process ends",
	},
	{
		name: "enter resctrl group", side: host, in: inCreate | inSecond, ground: hostTree,
		when: hasResctrl,
		do:   enterResctrlGroup,
		why:  "children are where their parent is; by the runtime, to which resctrl is mounted; here because nothing is queued yet",
	},
	{
		name: "own stdio", side: host, in: inCreate | inStartHook | inExec, ground: hostTree,
		do:  ownStdio,
		why: "the program must be able to open /dev/stdout again as its user; here because nothing is queued for the stub yet that would have to be sent first",
	},
	{
		name: "enter cgroup", side: inst, in: inCreate | inSecond, ground: hostTree,
		do:  enterCgroup,
		why: "a thread that moves itself between v1 cgroups takes no lock that waits for RCU (Linux 5.5); before the cgroup namespace, whose root it becomes, and while its files can be seen",
	},
	{
		name: "set oom score", side: inst, in: inCreate | inExec, ground: hostTree,
		when: func(c *config.Config) bool { return c.Process.OOMScoreAdj != nil },
		do:   setOOMScore,
		why:  "through a procfs of the stub's own, in which nothing can be mounted over the file (CVE-2025-52881)",
	},
	{
		name: "set I/O priority", side: inst, in: inCreate | inExec, ground: hostTree,
		when: func(c *config.Config) bool { return c.Process.IOPriority != nil },
		do:   setIOPriority,
		why:  "the real-time class needs CAP_SYS_ADMIN or CAP_SYS_NICE, in the first user namespace",
	},
	{
		name: "choose security labels", side: host, in: inCreate | inStartHook | inExec, ground: hostTree,
		when: hasLabels,
		do:   chooseLabels,
		why:  "in a procfs in which no container has a hand (CVE-2019-16884, CVE-2025-52881), and before the keyring, which has one; they hold when the program is executed, and what is executed of the image later is as confined",
	},
	{
		name: "enter root directory", side: inst, in: inCreate, ground: hostTree,
		when: hasUserNamespace,
		do:   enterRootDirectory,
		why:  "a user namespace's root may not search the directories above it; the working directory is taken along into the new mount namespace",
	},
	{
		name: "join namespaces", side: inst, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return len(c.Namespaces.Join) > 0 },
		do:   joinNamespaces,
		why:  "their paths are the host's, so before any mount is changed",
	},
	{
		name: "enter user namespace", side: host, in: inCreate, ground: hostTree,
		when: hasUserNamespace,
		do:   enterUserNamespace,
		why:  "it owns the namespaces made behind it; its maps can be written from outside, and once (user_namespaces(7))",
	},
	{
		name: "set clocks", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return c.Namespaces.New&unix.CLONE_NEWTIME != 0 },
		do:   setClocks,
		why:  "before the first process is in the time namespace (time_namespaces(7)), while the runtime still owns the stub's files in /proc",
	},
	{
		name: "await unit", side: host, in: inCreate, ground: hostTree,
		when: needsUnit,
		do:   awaitLimits,
		why:  "systemd moves the process that it was told of: not one forked from it, and for a user no process with another user id",
	},
	{
		name: "become its root", side: inst, in: inCreate, ground: hostTree,
		when: hasUserNamespace,
		do:   becomeRoot,
		why:  "what the stub makes belongs to the container's root; not dumpable for whoever is in there already (CVE-2016-9962)",
	},
	{
		name: "spread over CPUs", side: inst, in: inCreate | inExec, ground: hostTree,
		do:  spreadOverCPUs,
		why: "over all that its cpuset allows, in whose cgroup it is now; those of the runtime mean nothing",
	},
	{
		name: "unshare namespaces", side: inst, in: inCreate, ground: hostTree,
		do:  unshareNamespaces,
		why: "together, and beside the start of a unit; the user namespace owns them",
	},
	{
		name: "fork into namespaces", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return namespaces.PlanFor(c.Namespaces).Fork },
		do:   forkStub,
		why:  "one of pid or time holds for children only (setns(2), unshare(2))",
	},
	{
		name: "start session", side: inst, in: inCreate, ground: hostTree,
		do:  startSession,
		why: "the program leads a session, with a keyring of its own, and modes are as given until its umask is set",
	},
	{
		name: "raise loopback", side: inst, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return c.Namespaces.New&unix.CLONE_NEWNET != 0 },
		do:   raiseLoopback,
		why:  "a new network namespace has it down (config-linux.md, network)",
	},
	{
		name: "set host name", side: inst, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return c.Hostname != "" || c.Domainname != "" },
		do:   setHostname,
		why:  "config.md, hostname and domainname",
	},
	{
		name: "set personality", side: inst, in: inCreate | inExec, ground: hostTree,
		when: func(c *config.Config) bool { return c.Personality != nil },
		do:   setPersonality,
		why:  "before a seccomp filter that forbids it",
	},
	{
		name: "isolate mounts", side: inst, in: inCreate, ground: hostTree,
		when: ownsMounts,
		do:   isolateMounts,
		why:  "no mount made from here on may appear on the host; pivot_root wants no shared mount (EINVAL)",
	},
	{
		name: "open root", side: inst, in: inCreate, ground: hostTree,
		when: ownsMounts,
		do:   openRoot,
		why:  "once: every path of the container's is resolved from this descriptor (CVE-2021-30465)",
	},
	{
		name: "await limits", side: host, in: inCreate, ground: hostTree,
		do:  awaitLimits,
		why: "on v1 the device rules deny everything, mknod too, for the moment in which they are written",
	},
	{
		name: "open shared root", side: host, in: inCreate, ground: hostTree,
		when: sharesMounts,
		do:   openSharedRoot, undo: undoSharedRoot,
		why: "in a mount namespace of others: one private mount with all others on it, in the state before it is attached, so that delete finds it",
	},
	{
		name: "unshare cgroup namespace", side: inst, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return namespaces.PlanFor(c.Namespaces).Cgroup },
		do:   unshareCgroup,
		why:  "it has the cgroup of its maker as root (cgroup_namespaces(7)), which a unit of systemd's is by now",
	},
	{
		name: "set memory policy", side: inst, in: inCreate | inExec, ground: hostTree,
		when: func(c *config.Config) bool { return c.MemoryPolicy != nil },
		do:   setMemoryPolicy,
		why:  "in its cpuset, by whose nodes the kernel judges it, and before a seccomp filter that forbids it",
	},
	{
		name: "schedule in real time", side: host, in: inCreate, ground: hostTree,
		when: wantsRealTime,
		do:   setScheduler,
		why:  "early, so that other processes in real time cannot keep the stub from going on, but not before a v1 cgroup gives it such time",
	},
	{
		name: "give cgroup away", side: host, in: inCreate, ground: hostTree,
		when: delegatesCgroup,
		do:   giveCgroup,
		why:  "to the program's user, who can write to it in a cgroup namespace (config-linux.md, Cgroup ownership); behind the limits, which are not his",
	},
	{
		name: "mount file systems", side: host, in: inCreate, ground: hostTree,
		do:  mountFilesystems,
		why: "sources are the host's; detached first, attributes before they are attached; the answers say which mount points are missing",
	},
	{
		name: "make devices", side: host, in: inCreate, ground: hostTree,
		do:  makeDevices,
		why: "config-linux.md, default devices; by descriptor of their directory (CVE-2026-41579)",
	},
	{
		name: "make working directory", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return c.Process.Cwd != "/" },
		do:   makeWorkingDirectory,
		why:  "before the root may become read-only",
	},
	{
		name: "move network devices", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return len(c.NetDevices) > 0 },
		do:   moveDevices, undo: returnDevices,
		why: "as late as the hooks allow, which are told that the namespaces are made: what fails before has none to bring back (config-linux.md, Network Devices)",
	},
	{
		name: "run createRuntime hooks", side: host, in: inCreate, ground: hostTree,
		when: hasRuntimeHooks,
		do:   runRuntimeHooks,
		why:  "and prestart hooks before them: when namespaces and mounts are made, before pivot_root, and before the root may become read-only (config.md, Hooks)",
	},
	{
		name: "run createContainer hooks", side: host, in: inCreate, ground: hostTree,
		when: hasCreateHooks,
		do:   runCreateHooks,
		why:  "behind the createRuntime hooks; in the container's namespaces, from where the host's paths can still be seen",
	},
	{
		name: "set sysctls", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return len(c.Sysctls) > 0 },
		do:   setSysctls,
		why:  "those of a network device must wait for the hooks that may bring it; through a procfs of the stub's own (CVE-2025-52881)",
	},
	{
		name: "open terminal", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return c.Process.Terminal },
		do:   openTerminal,
		why:  "from the container's devpts; the peer by TIOCGPTPEER, not by a path that the image could redirect (CVE-2025-52565)",
	},
	{
		name: "protect paths", side: host, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return len(c.MaskedPaths)+len(c.ReadonlyPaths) > 0 },
		do:   protectPaths,
		why:  "read-only paths first: what is both is masked; with the host's null device, checked (CVE-2025-31133)",
	},
	{
		name: "make /dev read-only", side: inst, in: inCreate, ground: hostTree,
		when: rootfs.HasReadonlyDev,
		do:   makeDevReadonly,
		why:  "when its devices and mount points are made",
	},
	{
		name: "make root read-only", side: inst, in: inCreate, ground: hostTree,
		when: func(c *config.Config) bool { return c.ReadonlyRootfs },
		do:   makeRootReadonly,
		why:  "when nothing is to be made in it any more",
	},
	{
		name: "pivot root", side: inst, in: inCreate, ground: jailed,
		when: func(c *config.Config) bool { return ownsMounts(c) && !c.NoPivot },
		do:   pivotRoot,
		why:  "pivot_root(2) and a detaching umount leave no way to the host's tree",
	},
	{
		name: "move root", side: inst, in: inCreate, ground: jailed,
		when: func(c *config.Config) bool { return ownsMounts(c) && c.NoPivot },
		do:   moveRoot,
		why:  "a ramdisk that is \"/\" cannot be pivoted; what else the host has mounted is unmounted, above all its procfs, which is not the container's to write to",
	},
	{
		name: "change root", side: inst, in: inCreate, ground: jailed,
		when: sharesMounts,
		do:   changeRoot,
		why:  "by chroot(2): pivot_root(2) would change the root of all others in the mount namespace",
	},
	{
		name: "take mounts along", side: inst, in: inAddMounts, ground: hostTree,
		do:  takeMounts,
		why: "the sources of bind mounts are the host's: they are made here, detached, and attached in there; for a user namespace by a third stub, in a mount namespace that it owns, so that the flags of the host's mounts are locked",
	},
	{
		name: "join container before its pivot", side: inst, in: inCreateHook, ground: hostTree,
		do:  joinUnpivoted,
		why: "all at once by the pidfd of its first process (setns(2), Linux 5.8)",
	},
	{
		name: "join container without its root", side: inst, in: inStartHook | inExec | inMounts, ground: hostTree,
		when: sharesMounts,
		do:   joinContainer,
		why:  "the root of a mount namespace of others is not the container's (setns(2))",
	},
	{
		name: "enter container's root", side: host, in: inStartHook | inExec | inMounts, ground: jailed,
		when: sharesMounts,
		do:   enterSharedRoot,
		why:  "the mount that is in the state, by its ID: not the root of a process, which the container can change",
	},
	{
		name: "join container", side: inst, in: inStartHook | inExec | inMounts, ground: jailed,
		when: ownsMounts,
		do:   joinContainer,
		why:  "all at once by the pidfd of its first process (setns(2), Linux 5.8)",
	},
	{
		name: "detach mounts", side: host, in: inRemoveMounts, ground: jailed,
		do:  detachMounts,
		why: "the place is looked for as it is for mounts that are added",
	},
	{
		name: "fork into container", side: host, in: inCreateHook, ground: jailed,
		when: hasPidNamespace,
		do:   forkSecond,
		why:  "a pid namespace that was joined holds for children only (setns(2))",
	},
	{
		name: "fork for procfs", side: host, in: inAddMounts, ground: jailed,
		when: addsProcfs,
		do:   forkSecond,
		why:  "a procfs shows the pid namespace of who mounts it; for nothing else, as in there the container sees the stub, which has all privileges",
	},
	{
		name: "attach mounts", side: host, in: inAddMounts, ground: jailed,
		do: attachMounts, undo: undoMounts,
		why: "by descriptor, at places that are looked for from the container's root: the container can change them at any moment",
	},
	{
		name: "join keyring", side: inst, in: inSecond, ground: jailed,
		do:  joinKeyring,
		why: "the container's; as root, whose it is",
	},
	{
		name: "open container's terminal", side: host, in: inExec, ground: jailed,
		when: func(c *config.Config) bool { return c.Process.Terminal },
		do:   openContainersTerminal,
		why:  "opened as the first process's is (CVE-2025-52565), and checked, as the container has had the time to put something else there",
	},
	{
		name: "close descriptors", side: inst, in: inCreate | inStartHook | inExec, ground: jailed,
		do:  closeDescriptors,
		why: "before the working directory is entered: it could be /proc/self/fd/N (CVE-2024-21626)",
	},
	{
		name: "drop privileges", side: inst, in: inCreate | inStartHook | inExec, ground: unprivileged,
		do:  dropPrivileges,
		why: "bounding set, groups, ids, then the other sets: each step needs what the next one takes away",
	},
	{
		name: "enter pid namespace", side: host, in: inStartHook | inExec, ground: unprivileged,
		when: hasPidNamespace,
		do:   forkSecond,
		why:  "by a fork: one that was joined holds for children only (setns(2)); this late because the container sees the stub from here on, and with CAP_SYS_PTRACE in the runtime's user namespace traces it, dumpable or not (CVE-2016-9962)",
	},
	{
		name: "control terminal", side: inst, in: inExec, ground: unprivileged,
		when: func(c *config.Config) bool { return c.Process.Terminal },
		do:   controlTerminal,
		why:  "a session's leader gets it, which the fork has made anew",
	},
	{
		name: "enter working directory", side: inst, in: inCreate | inStartHook | inExec, ground: unprivileged,
		do:  enterWorkingDirectory,
		why: "getcwd tells whether it is inside the root (CVE-2024-21626); asked with the search for the program, judged before it",
	},
	{
		name: "find program", side: inst, in: inCreate | inExec, ground: unprivileged,
		do:  findProgram,
		why: "as the program's own user, so that create can say that there is none; the answers are looked at when the state is saved",
	},
	{
		name: "find home directory", side: inst, in: inCreate | inExec, ground: unprivileged,
		when: needsHome,
		do:   findHome,
		why:  "as the program's own user: the image could have made a link to anything of its /etc/passwd",
	},
	{
		name: "announce sockets", side: inst, in: inCreate, ground: unprivileged,
		when: func(c *config.Config) bool { return c.ListenFDs > 0 },
		do:   announceSockets,
		why:  "the program compares LISTEN_PID with the process id that it has in its own pid namespace (sd_listen_fds(3))",
	},
	{
		name: "schedule", side: host, in: inCreate | inExec, ground: unprivileged,
		when: func(c *config.Config) bool { return c.Process.Scheduler != nil },
		do:   setSchedulerLate,
		why:  "late, because an idle policy would let the work before it wait",
	},
	{
		name: "save state", side: host, in: inCreate, ground: unprivileged,
		do:  saveState,
		why: "from here on the container is created",
	},
	{
		name: "detach stub", side: host, in: inCreate, ground: unprivileged,
		do:  detachStub,
		why: "start may be another process",
	},
	{
		name: "attach stub", side: host, in: inStart, ground: unprivileged,
		do:  attachStub,
		why: "the stub takes one driver at a time; if that dies, it exits",
	},
	{
		name: "run startContainer hooks", side: host, in: inStart, ground: unprivileged,
		when: hasStartHooks,
		do:   runStartHooks,
		why:  "when start is called, before the program (config.md, StartContainer Hooks)",
	},
	{
		name: "set limits", side: host, in: inStart | inStartHook | inExec, ground: unprivileged,
		when: func(c *config.Config) bool { return len(c.Process.Rlimits) > 0 },
		do:   setLimits,
		why:  "this late because the stub itself needs descriptors; by the runtime where one is to be raised",
	},
	{
		name: "install filter", side: host, in: inStart | inStartHook | inExec, ground: filtered,
		when: hasSeccomp,
		do:   installFilter,
		why:  "with the call that executes the program and none between, which the filter would have to allow; with no_new_privs set, or with CAP_SYS_ADMIN, which the stub keeps for it until then (seccomp(2))",
	},
	{
		name: "execute program", side: host, in: inStart | inExec, ground: gone,
		do:  executeProgram,
		why: "the control descriptors close on exec; success is their end and another command name in /proc",
	},
	{
		name: "execute hook", side: host, in: inHooks, ground: gone,
		do:  executeHook,
		why: "as the program is executed; its end, and what it prints, are waited for",
	},
	{
		name: "run poststart hooks", side: host, in: inStart, ground: gone,
		when: hasPoststartHooks,
		do:   runPoststartHooks,
		why:  "when the program was executed, before start returns (config.md, Poststart)",
	},
}

// needsUnit tells whether the stub must be in its unit before it goes on.
func needsUnit(c *config.Config) bool {
	return c.SystemdCgroup && (hasUserNamespace(c) || namespaces.PlanFor(c.Namespaces).Fork)
}

func hasUserNamespace(c *config.Config) bool { return c.Namespaces.Has(unix.CLONE_NEWUSER) }
