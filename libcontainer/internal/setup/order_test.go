package setup

import (
	"maps"
	"slices"
	"testing"
)

// order are the pairs of steps whose order matters for a reason that the flow
// of values does not show.
var order = []struct{ first, second, why string }{
	{"reserve state", "make cgroup", "what a killed create leaves must be found by delete"},
	{"enter cgroup", "unshare cgroup namespace", "its root is the cgroup of its maker"},
	{"await limits", "unshare cgroup namespace", "systemd's unit is made beside"},
	{"unshare cgroup namespace", "mount file systems", "a cgroup mount shows what is below the namespace's root"},
	{"start stub", "start unit", "a scope is made around a process"},
	{"await unit", "become its root", "systemd moves for a user what has that user's id"},
	{"await unit", "fork into namespaces", "systemd knows the process before the fork"},
	{"await limits", "set memory policy", "systemd's unit has its cpuset by then"},
	{"enter cgroup", "spread over CPUs", "its cpuset says which there are"},
	{"fork into namespaces", "schedule in real time", "a process with a deadline cannot fork"},
	{"await limits", "schedule in real time", "on v1 the cgroup's real-time runtime is one of them"},
	{"spread over CPUs", "schedule in real time", "the CPUs of one with a deadline cannot be changed"},
	{"enter cgroup", "set memory policy", "its cpuset says which nodes there are"},
	{"set I/O priority", "enter user namespace", "CAP_SYS_NICE in the first user namespace"},
	{"schedule", "save state", "the container is created when all is done"},
	{"join namespaces", "isolate mounts", "their paths are the host's"},
	{"enter root directory", "join namespaces", "the user namespace's root may not search the way there"},
	{"enter user namespace", "unshare namespaces", "it must own the others"},
	{"become its root", "unshare namespaces", "what the kernel makes with them is root's"},
	{"set clocks", "fork into namespaces", "the clocks of a namespace with processes in it are fixed"},
	{"set clocks", "become its root", "an unprivileged runtime does not own the files of another user"},
	{"fork into namespaces", "start session", "the fork would take the lead away"},
	{"set oom score", "enter user namespace", "lowering it needs CAP_SYS_RESOURCE in the first user namespace"},
	{"isolate mounts", "open root", "nothing may propagate to the host"},
	{"make working directory", "make root read-only", "EROFS"},
	{"await limits", "make devices", "on v1 mknod is denied while the rules are written"},
	{"make devices", "make root read-only", "EROFS"},
	{"mount file systems", "protect paths", "a mount would cover the protection"},
	{"protect paths", "pivot root", "the host's null device is gone behind it"},
	{"set oom score", "drop privileges", "lowering it needs CAP_SYS_RESOURCE"},
	{"pivot root", "enter working directory", "it is the container's"},
	{"close descriptors", "enter working directory", "CVE-2024-21626"},
	{"enter working directory", "find program", "the program's path may be relative"},
	{"drop privileges", "find program", "it is looked for as its user"},
	{"save state", "detach stub", "start reads it"},
	{"mount file systems", "run createRuntime hooks", "config.md: after the mounts"},
	{"run createRuntime hooks", "run createContainer hooks", "config.md"},
	{"run createContainer hooks", "make root read-only", "they may make mount points"},
	{"run createRuntime hooks", "set sysctls", "a hook may bring the network device that one is of"},
	{"reserve state", "make resctrl group", "what a killed create leaves must be found by delete"},
	{"make resctrl group", "start stub", "it is removed when the stub has ended"},
	{"enter resctrl group", "fork into namespaces", "the child is where its parent is"},
	{"fork into namespaces", "move network devices", "the process whose network namespace it is"},
	{"move network devices", "run createRuntime hooks", "config.md: the namespaces are made, with all that is in them"},
	{"move network devices", "set sysctls", "one may be of a device"},
	{"set sysctls", "pivot root", "the host's procfs may be needed"},
	{"run createContainer hooks", "pivot root", "config.md: before pivot_root"},
	{"attach stub", "run startContainer hooks", "it tells its pid"},
	{"run startContainer hooks", "set limits", "the stub's are lowered in one batch with execve"},
	{"run startContainer hooks", "execute program", "config.md"},
	{"execute program", "run poststart hooks", "config.md"},
	{"start joining stub", "enter cgroup", "it is what enters"},
	{"enter cgroup", "join container", "its files are the host's"},
	{"enter cgroup", "join container before its pivot", "its files are the host's"},
	{"set oom score", "join container", "lowering it needs CAP_SYS_RESOURCE in the first user namespace"},
	{"set I/O priority", "join container", "CAP_SYS_NICE in the first user namespace"},
	{"take mounts along", "join container", "the sources are the host's"},
	{"join container", "attach mounts", "the places are the container's"},
	{"join container", "fork into container", "the pid namespace holds for children"},
	{"join container", "fork for procfs", "the pid namespace holds for children"},
	{"fork for procfs", "attach mounts", "a procfs is of who mounts it"},
	{"join container", "join keyring", "its name is known in the container's user namespace"},
	{"join keyring", "drop privileges", "it is root's"},
	{"open container's terminal", "drop privileges", "to be given to the program's user"},
	{"close descriptors", "enter pid namespace", "the container could get at them"},
	{"drop privileges", "enter pid namespace", "the container could get at them"},
	{"enter pid namespace", "control terminal", "only a leader of a session gets it (tty_ioctl(4))"},
	{"open container's terminal", "control terminal", "it is to be there"},
	{"enter pid namespace", "enter working directory", "it may be below /proc/self"},
	{"enter pid namespace", "schedule", "a process with a deadline cannot fork"},
	{"open container's terminal", "close descriptors", "its two sides are among them"},
	{"join container", "close descriptors", "the pidfd is needed"},
	{"set personality", "install filter", "the filter may forbid it"},
	{"set memory policy", "install filter", "the filter may forbid it"},
	{"drop privileges", "install filter", "the filter may forbid every call of it"},
	{"run startContainer hooks", "install filter", "the stub works for them"},
	{"set limits", "install filter", "the filter may forbid it"},
	{"install filter", "execute program", "it is for the program"},
	{"install filter", "execute hook", "it is for the hook too"},
	{"compile filter", "start stub", "it goes on beside"},
	{"attach stub", "set limits", "a limit of descriptors would hinder accept"},
	{"reserve state", "plan cgroup", "the state is written to the directory"},
	{"make cgroup", "limit cgroup", "its files are in the directory"},
	{"own stdio", "enter cgroup", "the queue is empty before, so that nothing has to be sent for it"},
	{"enter resctrl group", "enter cgroup", "the same"},
	{"enter user namespace", "check groups", "it is the namespace that may deny them"},
	{"enter user namespace", "set clocks", "the user namespace owns the time namespace"},
	{"fork into namespaces", "record process", "the fork is the process"},
	{"await limits", "chown cgroup", "limits are not the user's"},
	{"mount file systems", "make devices", "a mount on /dev would cover them"},
	{"mount file systems", "bind devices", "a mount on /dev would cover them"},
	{"make devices", "run createRuntime hooks", "hooks see the finished tree"},
	{"run createContainer hooks", "set sysctls", "a hook may bring the network device that one belongs to"},
	{"open terminal", "make /dev read-only", "it makes /dev/console"},
	{"protect paths", "make /dev read-only", "a masked path may be below /dev"},
	{"protect paths", "make root read-only", "it needs mount points"},
	{"unshare namespaces", "fork into namespaces", "they hold for the child"},
	{"join container", "become container's root", "the ids are those of its user namespace"},
	{"join container before its pivot", "become container's root", "the ids are those of its user namespace"},
	{"become container's root", "attach mounts", "the kernel wants CAP_SYS_ADMIN in the owner of the mount namespace"},
	{"become container's root", "detach mounts", "the same"},
	{"become container's root", "detach added mounts", "the same"},
	{"become container's root", "fork for procfs", "the child is not dumpable for the processes that see it (CVE-2016-9962)"},
	{"become container's root", "fork into container", "the same"},
	{"become container's root", "chown stdio as container's root", "it is the root that may"},
	{"become its root", "chown stdio as its root", "it is the root that may"},
	{"become container's root", "join keyring", "the keyring belongs to root"},
	{"set final affinity", "execute program", "it is the program's"},
	{"find program", "save state", "create reports a program that does not exist"},
	{"enter working directory", "set limits", "a limit of 0 descriptors would hinder it"},
	{"prepare launch", "set limits", "what is queued is sent before the limits hold"},
	{"join namespaces", "enter user namespace", "a joined user namespace is one of them"},
	{"reserve state", "open shared root", "what a killed create leaves must be found by delete"},
	{"await limits", "open shared root", "on v1 mknod is denied while the rules are written"},
	{"open shared root", "mount file systems", "the mounts are on it"},
	{"protect paths", "change root", "the host's null device is out of reach after it"},
	{"run createContainer hooks", "change root", "they see the host's tree"},
	{"change root", "enter working directory", "it is the container's"},
	{"take mounts along", "enter container's root", "the sources are the host's"},
	{"join container without its root", "enter container's root", "it is found in the mount namespace"},
	{"enter container's root", "fork into container", "the container sees the child"},
	{"enter container's root", "attach mounts", "the places are the container's"},
	{"enter container's root", "open container's terminal", "it is below the root"},
	{"enter container's root", "close descriptors", "one could lead out of the root"},
	{"enter container's root", "drop privileges", "CAP_SYS_CHROOT"},
	{"set memory policy", "join container without its root", "CAP_SYS_NICE is in the initial user namespace"},
	{"take mounts along", "join container without its root", "the sources are the host's"},
	{"take locked mounts along", "join container without its root", "the sources are the host's"},
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

// noticed reports whether a test fails when two rows that follow each other are
// swapped.
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
	// Rows of other operations stand between them: the first moves down.
	row := swapped[a]
	swapped = slices.Insert(slices.Delete(swapped, a, a+1), b, row)
	return len(checkFlow(swapped, op)) > 0
}

// TestNeighbors swaps each two rows that follow each other in an operation, and
// that one job can take both of. A swap that no test notices must be one of
// harmless, with the reason, and those must be needed.
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
		t.Errorf("%q do not follow each other any more: take them from the list", pair)
	}
}

// harmless are swaps that change nothing but, at most, the time that something
// takes or the order of messages.
var harmless = map[[2]string]string{
	{"open shared root", "await filter"}:                   "a wait",
	{"change root", "close descriptors"}:                   "the descriptors of the tree are closed by then",
	{"enter container's root", "become container's root"}:  "the joined user namespace grants its capabilities to both users",
	{"announce sockets", "schedule"}:                       "a call and a policy; the policy is last so that nothing waits",
	{"await filter", "unshare cgroup namespace"}:           "an error is only reported later",
	{"bring up loopback", "set host name"}:                 "two namespaces",
	{"make keyring", "bring up loopback"}:                  "a keyring and a network namespace",
	{"set host name", "set personality"}:                   "two attributes",
	{"set personality", "isolate mounts"}:                  "the personality changes no mount call",
	{"set personality", "set memory policy"}:               "two attributes of the process",
	{"set final affinity", "set personality"}:              "two attributes of the process",
	{"spread over CPUs", "set personality"}:                "two attributes of the process",
	{"spread over CPUs", "unshare namespaces"}:             "the affinity is no namespace's",
	{"chown stdio as its root", "spread over CPUs"}:        "owners of files and an affinity",
	{"set oom score", "set I/O priority"}:                  "two attributes of the process",
	{"raise oom score", "set I/O priority"}:                "two attributes of the process",
	{"set I/O priority", "choose security labels"}:         "two attributes of the process",
	{"choose security labels", "enter root directory"}:     "the labels take effect on execve",
	{"choose security labels", "spread over CPUs"}:         "the labels take effect on execve",
	{"enter cgroup", "choose security labels"}:             "the labels take effect on execve",
	{"enter cgroup", "set oom score"}:                      "the score is not the cgroup's",
	{"check container's groups", "enter cgroup"}:           "a file is read",
	{"check groups", "set clocks"}:                         "a file is read",
	{"own stdio in joined user namespace", "check groups"}: "a file is read",
	{"own stdio", "check container's groups"}:              "a file is read",
	{"check user", "own stdio"}:                            "an error is only reported later, and stdio keeps the owner",
	{"compile filter", "open control socket"}:              "a computation starts",
	{"make resctrl group", "compile filter"}:               "a computation starts",
	{"limit cgroup", "make resctrl group"}:                 "two file systems",
	{"make notify directory", "make cgroup"}:               "two file systems, both in the state or below it",
	{"plan cgroup", "make notify directory"}:               "nothing is made outside of the state directory",
	{"enter resctrl group", "take mappings"}:               "the configuration is read",
	{"start unit", "enter resctrl group"}:                  "two file systems",
	{"find program", "find home directory"}:                "two files are looked for",
	{"find home directory", "announce sockets"}:            "two entries of the environment",
	{"find home directory", "schedule process"}:            "the policy is last so that nothing waits",
	{"control terminal", "enter working directory"}:        "a terminal and a directory",
	{"make devices", "make working directory"}:             "two places in the root",
	{"bind devices", "make working directory"}:             "two places in the root",
	{"make working directory", "move network devices"}:     "a directory and a network namespace",
	{"open root", "await limits"}:                          "a wait",
	{"open root from inside", "await limits"}:              "a wait",
	{"open terminal", "protect paths"}:                     "a masked path may be /dev/console, which then is masked either way",
	{"make /dev read-only", "make root read-only"}:         "two mounts",
	{"set sysctls", "open terminal"}:                       "a terminal is no sysctl's",
	{"record process", "start session"}:                    "the process is known",
	{"set clocks", "await unit"}:                           "a wait",
	{"chown cgroup", "mount file systems"}:                 "owners of files in the cgroup are no matter of mounts",
	{"schedule in real time", "chown cgroup"}:              "the policy is set: the cgroup's owner can only leave it without time",
	{"set memory policy", "schedule in real time"}:         "two attributes of the process",
	{"unshare cgroup namespace", "set memory policy"}:      "a namespace and an attribute of the process",
	{"schedule", "prepare launch"}:                         "nothing is sent",
	{"schedule process", "prepare launch"}:                 "nothing is sent",
	{"fork into container", "join keyring"}:                "the child has its parent's keyring",
	{"chown stdio as container's root", "join keyring"}:    "owners of files and a keyring",
	{"join keyring", "open container's terminal"}:          "a keyring and a terminal",
	{"join keyring", "close descriptors"}:                  "a keyring is no descriptor",
	{"pivot root", "close descriptors"}:                    "the descriptors of the tree are closed by then",
	{"move root", "close descriptors"}:                     "the descriptors of the tree are closed by then",
	{"start session", "make keyring"}:                      "a session of processes and one of keys",
}
