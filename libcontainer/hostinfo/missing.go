package hostinfo

import (
	"fmt"
	"slices"
	"strings"
)

// A lack is something that a host may lack.
type lack struct {
	name  string
	costs string
	of    func(*Info) bool
}

// lacks are ordered by what they cost, the most important first. Controllers follow.
var lacks = [...]lack{
	{"cgroups", "create needs a cgroup file system below /sys/fs/cgroup", func(i *Info) bool { return i.Cgroup.Version == "none" }},
	{"device rules", "create refuses linux.resources.devices, as root always; needs CONFIG_CGROUP_BPF on v2", func(i *Info) bool { return i.Cgroup.Devices == "no" }},
	{"pid namespaces", "configurations with one are refused", func(i *Info) bool { return without(i, "pid") }},
	{"network namespaces", "configurations with one are refused", func(i *Info) bool { return without(i, "net") }},
	{"cgroup namespaces", "configurations with one are refused", func(i *Info) bool { return without(i, "cgroup") }},
	{"IPC namespaces", "configurations with one are refused", func(i *Info) bool { return without(i, "ipc") }},
	{"time namespaces", "linux.timeOffsets is refused", func(i *Info) bool { return without(i, "time") }},
	{"user namespaces", "linux.uidMappings is refused, and containers of unprivileged users", func(i *Info) bool { return !i.UserNamespaces.Supported || i.Sysctls["user.max_user_namespaces"] == "0" }},
	{"user namespaces for unprivileged users", "unprivileged users cannot create containers", func(i *Info) bool { return i.UserNamespaces.Denied != "" }},
	{"newuidmap and newgidmap", "containers of an unprivileged user have one ID", func(i *Info) bool {
		return !i.UserNamespaces.Newuidmap.Privileged || !i.UserNamespaces.Newgidmap.Privileged
	}},
	{"ranges in /etc/subuid and /etc/subgid", "containers of this user have one ID", func(i *Info) bool {
		return i.Process.UID != 0 && (len(i.UserNamespaces.Subuids) == 0 || len(i.UserNamespaces.Subgids) == 0)
	}},
	{"privileges for set-uid programs (no_new_privs is set)", "newuidmap has no effect", func(i *Info) bool { return i.Process.UID != 0 && i.Process.NoNewPrivs }},
	{"seccomp filters", "linux.seccomp is refused", func(i *Info) bool { return !i.Security.Seccomp }},
	{"AppArmor", "process.apparmorProfile and exec --apparmor are refused", func(i *Info) bool { return !i.Security.AppArmor }},
	{"SELinux", "process.selinuxLabel and linux.mountLabel are refused", func(i *Info) bool { return i.Security.SELinux == "disabled" }},
	{"systemd with cgroup v2", "--systemd-cgroup is refused", func(i *Info) bool { return !i.Cgroup.Systemd || i.Cgroup.Version != "v2" }},
	{"cgroup.kill (Linux 5.14)", "kill --all and delete --force signal processes one by one", func(i *Info) bool { return hasV2(i) && !i.Cgroup.Kill }},
	{"memory.peak (Linux 5.19)", "statistics lack the peak of memory", func(i *Info) bool { return i.Cgroup.Version == "v2" && hasV2(i) && has(i, "memory") && !i.Cgroup.Peak }},
	{"CRIU", "checkpoint and restore are refused", func(i *Info) bool { return i.CRIU.Path == "" }},
	{"resctrl", "linux.intelRdt is refused", func(i *Info) bool { return !i.Kernel.Resctrl }},
}

// A controller has a name on v1 and one on v2.
type controller struct{ v1, v2, costs string }

var controllers = [...]controller{
	{"memory", "memory", "linux.resources.memory is refused, and OOM kills are not reported"},
	{"pids", "pids", "linux.resources.pids is refused"},
	{"cpu", "cpu", "linux.resources.cpu is refused, except cpus and mems"},
	{"cpuset", "cpuset", "linux.resources.cpu.cpus and mems are refused"},
	{"blkio", "io", "linux.resources.blockIO is refused"},
	{"hugetlb", "hugetlb", "linux.resources.hugepageLimits is refused"},
	{"rdma", "rdma", "linux.resources.rdma is refused"},
	{"freezer", "", "pause and resume are refused"},
	{"net_cls", "", "linux.resources.network.classID is refused"},
	{"net_prio", "", "linux.resources.network.priorities is refused"},
}

// without reports whether the kernel has no namespaces of this kind.
func without(i *Info, kind string) bool { return !slices.Contains(i.Kernel.Namespaces, kind) }

// hasV2 reports whether the caller is in a v2 cgroup that has the files of one.
func hasV2(i *Info) bool {
	return (i.Cgroup.Version == "v2" || i.Cgroup.Version == "hybrid") && !i.Cgroup.Root
}

func has(i *Info, name string) bool { return slices.Contains(i.Cgroup.Controllers, name) }

// missing returns what the host lacks.
func missing(i *Info) []Missing {
	list := []Missing{}
	if calls := i.Kernel.AbsentCalls; len(calls) > 0 {
		list = append(list, Missing{"system calls: " + strings.Join(calls, ", "), "no container can be created (needs Linux 5.12, and a sandbox that allows them)"})
	}
	for _, l := range lacks {
		if l.of(i) {
			list = append(list, Missing{l.name, l.costs})
		}
	}
	if i.Cgroup.Version != "none" {
		for _, c := range controllers {
			name := c.v1
			if i.Cgroup.Version == "v2" {
				name = c.v2
			}
			if name != "" && !has(i, name) {
				list = append(list, Missing{"cgroup controller " + name, c.costs})
			}
		}
	}
	if caps := i.Process.LackedCapabilities; i.Process.UID == 0 && len(caps) > 0 {
		list = append(list, Missing{"capabilities of root", fmt.Sprintf("no container gets %s", strings.Join(caps, ", "))})
	}
	return list
}
