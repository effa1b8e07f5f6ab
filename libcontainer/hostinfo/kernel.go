package hostinfo

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/probe"
	"github.com/berth-oci/berth/libcontainer/capabilities"
)

func (h *host) kernel() Kernel {
	k := Kernel{Namespaces: []string{}, AbsentCalls: append([]string{}, probe.Absent()...), Resctrl: h.exists("/sys/fs/resctrl/schemata")}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		h.note(fmt.Errorf("uname: %w", err))
	}
	k.Release, k.Machine = unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:])
	entries, err := os.ReadDir(h.root + "/proc/self/ns")
	if err != nil {
		h.note(err)
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), "_for_children") {
			k.Namespaces = append(k.Namespaces, e.Name())
		}
	}
	return k
}

func (h *host) process() Process {
	p := Process{UID: os.Geteuid(), InUserNamespace: probe.InUserNamespace(), LackedCapabilities: []string{}}
	for line := range strings.Lines(h.text("/proc/self/status")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		switch name {
		case "NoNewPrivs":
			p.NoNewPrivs = value == "1"
		case "Seccomp":
			p.SeccompFilter = value == "2"
		case "CapPrm":
			p.LackedCapabilities = h.lacked(value)
		}
	}
	return p
}

// lacked returns the capabilities that a set of /proc/self/status, in hexadecimal, does
// not have.
func (h *host) lacked(permitted string) []string {
	set, err := strconv.ParseUint(permitted, 16, 64)
	if err != nil {
		h.note(fmt.Errorf("/proc/self/status: CapPrm: %w", err))
		return []string{}
	}
	last, err := probe.LastCap()
	if err != nil {
		h.note(err)
		return []string{}
	}
	known := uint64(1)<<(last+1) - 1
	return append([]string{}, capabilities.List(known&^set)...)
}

// resources are the limits that stop containers, by their names in prlimit(1).
var resources = [...]struct {
	name     string
	resource int
}{
	{"nofile", unix.RLIMIT_NOFILE},
	{"nproc", unix.RLIMIT_NPROC},
	{"memlock", unix.RLIMIT_MEMLOCK},
	{"sigpending", unix.RLIMIT_SIGPENDING},
	{"msgqueue", unix.RLIMIT_MSGQUEUE},
	{"core", unix.RLIMIT_CORE},
}

func rlimits() map[string]Rlimit {
	all := map[string]Rlimit{}
	for _, r := range resources {
		var limit unix.Rlimit
		if err := unix.Getrlimit(r.resource, &limit); err == nil { // cannot fail for a known resource
			all[r.name] = Rlimit{amount(limit.Cur), amount(limit.Max)}
		}
	}
	return all
}

func amount(n uint64) string {
	if n == unix.RLIM_INFINITY {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}

// sysctlNames are the settings that limit or deny what containers need.
var sysctlNames = [...]string{
	"fs.mount-max", "fs.nr_open", "kernel.apparmor_restrict_unprivileged_userns", "kernel.keys.maxkeys", "kernel.keys.root_maxkeys",
	"kernel.pid_max", "kernel.threads-max", "kernel.unprivileged_bpf_disabled", "kernel.unprivileged_userns_clone",
	"net.core.bpf_jit_limit", "user.max_cgroup_namespaces", "user.max_ipc_namespaces", "user.max_mnt_namespaces",
	"user.max_net_namespaces", "user.max_pid_namespaces", "user.max_time_namespaces", "user.max_user_namespaces",
	"user.max_uts_namespaces", "vm.memfd_noexec",
}

func (h *host) sysctls() map[string]string {
	all := map[string]string{}
	for _, name := range sysctlNames {
		if value := h.text("/proc/sys/" + strings.ReplaceAll(name, ".", "/")); value != "" {
			all[name] = value
		}
	}
	return all
}

// criuTime is the timeout of "criu --version".
const criuTime = 10 * time.Second

func (h *host) criu(ctx context.Context) CRIU {
	path, err := exec.LookPath("criu")
	if err != nil {
		return CRIU{}
	}
	ctx, cancel := context.WithTimeout(ctx, criuTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "--version")
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		h.note(fmt.Errorf("%s --version: %w", path, err))
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return CRIU{Path: path, Version: strings.TrimPrefix(first, "Version: ")}
}
