package setup

import (
	"maps"
	"slices"
	"testing"
)

// order lists the pairs of steps whose order matters for a reason that the flow of
// values does not show.
var order = []struct{ first, second, why string }{
	{"reserve state", "make cgroup", "delete must be able to clean up after a killed create"},
	{"enter cgroup", "unshare cgroup namespace", "its root is the cgroup of its maker"},
	{"await limits", "unshare cgroup namespace", "systemd makes the unit concurrently"},
	{"unshare cgroup namespace", "mount file systems", "a cgroup mount shows the hierarchy below the namespace's root"},
	{"start stub", "start unit", "a scope is made around a process"},
	{"await unit", "become root of user namespace", "for a user, systemd attaches only that user's processes"},
	{"await unit", "fork into namespaces", "systemd attaches the process, not its fork"},
	{"await limits", "set memory policy", "systemd's unit has its cpuset then"},
	{"enter cgroup", "reset CPU affinity", "its cpuset has the CPUs"},
	{"fork into namespaces", "schedule in real time", "a process with SCHED_DEADLINE cannot fork"},
	{"await limits", "schedule in real time", "on v1 one limit is the cgroup's real-time runtime"},
	{"reset CPU affinity", "schedule in real time", "the affinity of a SCHED_DEADLINE process is fixed"},
	{"enter cgroup", "set memory policy", "its cpuset has the nodes"},
	{"set I/O priority", "enter user namespace", "needs CAP_SYS_NICE in the initial user namespace"},
	{"schedule", "save state", "the container is created after all its steps"},
	{"join namespaces", "isolate mounts", "their paths are on the host"},
	{"enter root directory", "join namespaces", "the root of the user namespace may lack search permission on the path"},
	{"enter user namespace", "unshare namespaces", "it must own the others"},
	{"become root of user namespace", "unshare namespaces", "files that the kernel makes with them belong to root"},
	{"set clocks", "fork into namespaces", "the clocks of a namespace with processes are fixed"},
	{"set clocks", "become root of user namespace", "an unprivileged runtime does not own the files of another user"},
	{"fork into namespaces", "start session", "the child of a session leader does not lead the session"},
	{"set oom score", "enter user namespace", "a lower score needs CAP_SYS_RESOURCE in the initial user namespace"},
	{"isolate mounts", "open root", "nothing may propagate to the host"},
	{"make working directory", "make root read-only", "EROFS"},
	{"await limits", "make devices", "on v1 mknod is denied while the rules are written"},
	{"make devices", "make root read-only", "EROFS"},
	{"mount file systems", "protect paths", "a mount would cover the protection"},
	{"protect paths", "pivot root", "the host's null device is out of reach after it"},
	{"set oom score", "drop privileges", "a lower score needs CAP_SYS_RESOURCE"},
	{"pivot root", "enter working directory", "the directory is in the container"},
	{"close descriptors", "enter working directory", "CVE-2024-21626"},
	{"enter working directory", "find program", "the program's path may be relative"},
	{"drop privileges", "find program", "the lookup runs as the program's user"},
	{"save state", "detach stub", "start reads it"},
	{"save state", "leave stub", "its failure must end the stub"},
	{"mount file systems", "run createRuntime hooks", "config.md: after the mounts"},
	{"run createRuntime hooks", "run createContainer hooks", "config.md"},
	{"run createContainer hooks", "make root read-only", "they may make mount points"},
	{"run createRuntime hooks", "set sysctls", "a hook may add the network device of a sysctl"},
	{"reserve state", "make resctrl group", "delete must be able to clean up after a killed create"},
	{"make resctrl group", "start stub", "undo removes it after the stub has ended"},
	{"enter resctrl group", "fork into namespaces", "the child inherits the group"},
	{"fork into namespaces", "move network devices", "the child is in the network namespace"},
	{"move network devices", "run createRuntime hooks", "config.md: hooks run when the namespaces are complete"},
	{"move network devices", "set sysctls", "a sysctl may belong to a device"},
	{"set sysctls", "pivot root", "the host's procfs may be needed"},
	{"run createContainer hooks", "pivot root", "config.md: before pivot_root"},
	{"attach stub", "run startContainer hooks", "the stub reports its pid"},
	{"run startContainer hooks", "set limits", "the stub lowers its limits in one batch with execve"},
	{"run startContainer hooks", "execute program", "config.md"},
	{"execute program", "run poststart hooks", "config.md"},
	{"start joining stub", "enter cgroup", "the stub enters it"},
	{"enter cgroup", "join container", "its files are on the host"},
	{"enter cgroup", "join container before its pivot", "its files are on the host"},
	{"set oom score", "join container", "a lower score needs CAP_SYS_RESOURCE in the initial user namespace"},
	{"set I/O priority", "join container", "needs CAP_SYS_NICE in the initial user namespace"},
	{"prepare mounts", "join container", "the sources are on the host"},
	{"join container", "attach mounts", "destinations are in the container"},
	{"join container", "fork into container", "the pid namespace applies to children"},
	{"join container", "fork for procfs", "the pid namespace applies to children"},
	{"fork for procfs", "attach mounts", "a procfs shows the pid namespace of the process that mounts it"},
	{"join container", "join keyring", "the kernel looks its name up in the container's user namespace"},
	{"join keyring", "drop privileges", "the keyring belongs to root"},
	{"open container's terminal", "drop privileges", "a privileged chown makes the program's user its owner"},
	{"close descriptors", "enter pid namespace", "the container could open them in /proc"},
	{"drop privileges", "enter pid namespace", "the container could trace the stub and use them"},
	{"enter pid namespace", "control terminal", "only a session leader can acquire it (tty_ioctl(4))"},
	{"open container's terminal", "control terminal", "the terminal must exist"},
	{"enter pid namespace", "enter working directory", "it may be below /proc/self"},
	{"enter pid namespace", "schedule", "a process with SCHED_DEADLINE cannot fork"},
	{"open container's terminal", "close descriptors", "it closes both sides"},
	{"join container", "close descriptors", "the pidfd is needed"},
	{"set personality", "install filter", "the filter may forbid it"},
	{"set memory policy", "install filter", "the filter may forbid it"},
	{"drop privileges", "install filter", "the filter may forbid its calls"},
	{"run startContainer hooks", "install filter", "the stub makes calls for them"},
	{"set limits", "install filter", "the filter may forbid it"},
	{"install filter", "execute program", "the program must be filtered"},
	{"install filter", "execute hook", "the hook must be filtered, too"},
	{"compile filter", "start stub", "it is compiled while the stub starts"},
	{"attach stub", "set limits", "a limit of descriptors could make accept fail"},
	{"reserve state", "plan cgroup", "the state is written to the directory"},
	{"make cgroup", "limit cgroup", "its files are in the directory"},
	{"chown stdio", "enter cgroup", "before it the queue is empty, so the host step needs no round trip"},
	{"enter resctrl group", "enter cgroup", "before it the queue is empty, so the host step needs no round trip"},
	{"enter user namespace", "set clocks", "the user namespace owns the time namespace"},
	{"fork into namespaces", "record process", "the child becomes the program"},
	{"await limits", "chown cgroup", "the limits stay root's"},
	{"mount file systems", "make devices", "a mount on /dev would cover them"},
	{"mount file systems", "bind devices", "a mount on /dev would cover them"},
	{"make devices", "run createRuntime hooks", "hooks see the finished tree"},
	{"run createContainer hooks", "set sysctls", "a hook may add the network device of a sysctl"},
	{"open terminal", "make /dev read-only", "it makes /dev/console"},
	{"protect paths", "make /dev read-only", "a masked path may be below /dev"},
	{"protect paths", "make root read-only", "it needs mount points"},
	{"unshare namespaces", "fork into namespaces", "they apply to the child"},
	{"join container", "become container's root", "IDs are those of its user namespace"},
	{"join container before its pivot", "become container's root", "IDs are those of its user namespace"},
	{"become container's root", "attach mounts", "needs CAP_SYS_ADMIN in the owner of the mount namespace"},
	{"become container's root", "detach mounts", "needs CAP_SYS_ADMIN in the owner of the mount namespace"},
	{"become container's root", "detach added mounts", "needs CAP_SYS_ADMIN in the owner of the mount namespace"},
	{"become container's root", "fork for procfs", "the child is not dumpable for the processes that see it (CVE-2016-9962)"},
	{"become container's root", "fork into container", "the child is not dumpable for the processes that see it (CVE-2016-9962)"},
	{"become container's root", "chown stdio as container's root", "only that root may"},
	{"become root of user namespace", "chown stdio as root of user namespace", "only that root may"},
	{"become container's root", "join keyring", "the keyring belongs to root"},
	{"set final affinity", "execute program", "the affinity is the program's"},
	{"find program", "save state", "create reports a program that does not exist"},
	{"enter working directory", "set limits", "a limit of 0 descriptors could make it fail"},
	{"prepare launch", "set limits", "it sends the queue before the limits apply"},
	{"join namespaces", "enter user namespace", "one of them may be a user namespace"},
	{"reserve state", "open shared root", "delete must be able to clean up after a killed create"},
	{"await limits", "open shared root", "on v1 mknod is denied while the rules are written"},
	{"open shared root", "mount file systems", "the mounts are on it"},
	{"protect paths", "change root", "the host's null device is out of reach after it"},
	{"run createContainer hooks", "change root", "they see the host's tree"},
	{"change root", "enter working directory", "the directory is in the container"},
	{"prepare mounts", "enter container's root", "the sources are on the host"},
	{"join container without its root", "enter container's root", "mountinfo of the mount namespace has it"},
	{"enter container's root", "fork into container", "the container sees the child"},
	{"enter container's root", "attach mounts", "destinations are in the container"},
	{"enter container's root", "open container's terminal", "/dev/pts is below the root"},
	{"enter container's root", "close descriptors", "a descriptor could lead out of the root"},
	{"enter container's root", "drop privileges", "needs CAP_SYS_CHROOT"},
	{"set memory policy", "join container without its root", "needs CAP_SYS_NICE in the initial user namespace"},
	{"prepare mounts", "join container without its root", "the sources are on the host"},
	{"prepare locked mounts", "join container without its root", "the sources are on the host"},
	{"choose security labels", "join container without its root", "the procfs is the host's"},
}

func rowNamed(t *testing.T, name string) int {
	t.Helper()
	i := slices.IndexFunc(steps[:], func(s step) bool { return s.name == name })
	if i < 0 {
		t.Errorf("no step %q", name)
	}
	return i
}

func TestOrder(t *testing.T) {
	for _, p := range order {
		if rowNamed(t, p.first) >= rowNamed(t, p.second) {
			t.Errorf("%q is not before %q: %s", p.first, p.second, p.why)
		}
	}
}

// noticed reports whether a test fails when two neighbors of an operation are swapped.
func noticed(table []step, op operation, first, second *step) bool {
	if first.ground != second.ground {
		return true // TestGroundNeverGrows
	}
	for _, p := range order {
		if p.first == first.name && p.second == second.name {
			return true
		}
	}
	swapped := slices.Clone(table)
	a := slices.IndexFunc(swapped, func(s step) bool { return s.name == first.name })
	b := slices.IndexFunc(swapped, func(s step) bool { return s.name == second.name })
	// Rows of other operations may be between them: the first moves down.
	row := swapped[a]
	swapped = slices.Insert(slices.Delete(swapped, a, a+1), b, row)
	return len(checkFlow(swapped, op)) > 0
}

// TestNeighbors swaps each two neighbors of an operation that one job can take. If no
// test notices a swap, harmless must list it with a reason. Every entry of harmless
// must be needed.
func TestNeighbors(t *testing.T) {
	unused := maps.Clone(harmless)
	for _, op := range operations {
		rows := rowsOf(steps[:], op)
		for i, first := range rows {
			next := slices.IndexFunc(rows[i+1:], func(second *step) bool { return together(op, first, second) })
			if next < 0 {
				continue
			}
			second := rows[i+1+next]
			pair := [2]string{first.name, second.name}
			delete(unused, pair)
			if !noticed(steps[:], op, first, second) && harmless[pair] == "" {
				t.Errorf("{%q, %q}: \"\", // %s: no test notices when these are swapped", first.name, second.name, op)
			}
		}
	}
	for pair := range unused {
		t.Errorf("%q are not neighbors any more: remove them from the list", pair)
	}
}

// harmless lists swaps that change at most how long create takes, or the order of
// messages.
var harmless = map[[2]string]string{
	{"open shared root", "await filter"}:                            "a wait",
	{"change root", "close descriptors"}:                            "the tree's descriptors are already closed",
	{"enter container's root", "become container's root"}:           "the joined user namespace grants its capabilities to both users",
	{"announce sockets", "schedule"}:                                "a call and a policy; the policy is last so that no step waits",
	{"await filter", "unshare cgroup namespace"}:                    "only the error comes later",
	{"bring up loopback", "set host name"}:                          "two namespaces",
	{"make keyring", "bring up loopback"}:                           "a keyring and a network namespace",
	{"set host name", "set personality"}:                            "two attributes",
	{"set personality", "isolate mounts"}:                           "the personality changes no mount call",
	{"set personality", "set memory policy"}:                        "two attributes of the process",
	{"set final affinity", "set personality"}:                       "two attributes of the process",
	{"reset CPU affinity", "set personality"}:                       "two attributes of the process",
	{"reset CPU affinity", "unshare namespaces"}:                    "no namespace has an affinity",
	{"chown stdio as root of user namespace", "reset CPU affinity"}: "owners of files and an affinity",
	{"set oom score", "set I/O priority"}:                           "two attributes of the process",
	{"raise oom score", "set I/O priority"}:                         "two attributes of the process",
	{"set I/O priority", "choose security labels"}:                  "two attributes of the process",
	{"choose security labels", "enter root directory"}:              "the labels take effect on execve",
	{"choose security labels", "reset CPU affinity"}:                "the labels take effect on execve",
	{"enter cgroup", "choose security labels"}:                      "the labels take effect on execve",
	{"enter cgroup", "set oom score"}:                               "the score does not depend on the cgroup",
	{"chown stdio in joined user namespace", "set clocks"}:          "the owner of files does not depend on clocks",
	{"check user", "chown stdio"}:                                   "only the error comes later, and stdio keeps the owner",
	{"compile filter", "open control socket"}:                       "a computation starts",
	{"make resctrl group", "compile filter"}:                        "a computation starts",
	{"limit cgroup", "make resctrl group"}:                          "two file systems",
	{"make notify directory", "make cgroup"}:                        "two file systems, both in the state or below it",
	{"plan cgroup", "make notify directory"}:                        "nothing is made outside of the state directory",
	{"enter resctrl group", "take mappings"}:                        "the configuration is read",
	{"start unit", "enter resctrl group"}:                           "two file systems",
	{"find program", "find home directory"}:                         "two files are looked for",
	{"find home directory", "announce sockets"}:                     "two entries of the environment",
	{"find home directory", "schedule process"}:                     "the policy is last so that no step waits",
	{"control terminal", "enter working directory"}:                 "a terminal and a directory",
	{"make devices", "make working directory"}:                      "two places in the root",
	{"bind devices", "make working directory"}:                      "two places in the root",
	{"make working directory", "move network devices"}:              "a directory and a network namespace",
	{"open root", "await limits"}:                                   "a wait",
	{"open root from inside", "await limits"}:                       "a wait",
	{"open terminal", "protect paths"}:                              "a masked path may be /dev/console, which then is masked either way",
	{"make /dev read-only", "make root read-only"}:                  "two mounts",
	{"set sysctls", "open terminal"}:                                "no sysctl affects the terminal",
	{"record process", "start session"}:                             "the process is known",
	{"set clocks", "await unit"}:                                    "a wait",
	{"chown cgroup", "mount file systems"}:                          "mounts do not change owners of cgroup files",
	{"schedule in real time", "chown cgroup"}:                       "the policy is set; the cgroup's owner can only withhold its time",
	{"set memory policy", "schedule in real time"}:                  "two attributes of the process",
	{"unshare cgroup namespace", "set memory policy"}:               "a namespace and an attribute of the process",
	{"schedule", "prepare launch"}:                                  "nothing is sent",
	{"schedule process", "prepare launch"}:                          "nothing is sent",
	{"fork into container", "join keyring"}:                         "the child has its parent's keyring",
	{"chown stdio as container's root", "join keyring"}:             "owners of files and a keyring",
	{"join keyring", "open container's terminal"}:                   "a keyring and a terminal",
	{"join keyring", "close descriptors"}:                           "no descriptor refers to the keyring",
	{"pivot root", "close descriptors"}:                             "the tree's descriptors are already closed",
	{"move root", "close descriptors"}:                              "the tree's descriptors are already closed",
	{"start session", "make keyring"}:                               "a session of processes and one of keys",
}
