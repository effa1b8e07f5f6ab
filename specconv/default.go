package specconv

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// DefaultOptions select one of the configurations of Default.
type DefaultOptions struct {
	// CgroupNamespace adds a cgroup namespace; set it if all cgroups of the
	// host are v2.
	CgroupNamespace bool
	// Rootless selects a configuration that an unprivileged user can run.
	Rootless bool
	// UID and GID are, for Rootless, the ids on the host of the container's
	// root.
	UID, GID uint32
}

// Default returns a configuration for a start: a shell in the directory rootfs
// of the bundle.
func Default(o DefaultOptions) *specs.Spec {
	spec := &specs.Spec{
		Version:  specs.Version,
		Process:  defaultProcess(),
		Root:     &specs.Root{Path: "rootfs", Readonly: true},
		Hostname: "berth",
		Mounts:   defaultMounts(),
		Linux:    defaultLinux(),
	}
	if o.CgroupNamespace {
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.CgroupNamespace})
	}
	if o.Rootless {
		makeRootless(spec, o.UID, o.GID)
	}
	return spec
}

func defaultProcess() *specs.Process {
	caps := func() []string { return []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"} }
	return &specs.Process{
		Terminal: true,
		Args:     []string{"sh"},
		Env: []string{
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm",
		},
		Cwd:             "/",
		NoNewPrivileges: true,
		Capabilities:    &specs.LinuxCapabilities{Bounding: caps(), Effective: caps(), Permitted: caps()},
		Rlimits:         []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Hard: 1024, Soft: 1024}},
	}
}

func defaultMounts() []specs.Mount {
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc"},
		{
			Destination: "/dev", Type: "tmpfs", Source: "tmpfs",
			Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"},
		},
		{
			Destination: "/dev/pts", Type: "devpts", Source: "devpts",
			Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"},
		},
		{
			Destination: "/dev/shm", Type: "tmpfs", Source: "shm",
			Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"},
		},
		{
			Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue",
			Options: []string{"nosuid", "noexec", "nodev"},
		},
		{
			Destination: "/sys", Type: "sysfs", Source: "sysfs",
			Options: []string{"nosuid", "noexec", "nodev", "ro"},
		},
		{
			Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup",
			Options: []string{"nosuid", "noexec", "nodev", "relatime", "ro"},
		},
	}
}

func defaultLinux() *specs.Linux {
	return &specs.Linux{
		Resources: &specs.LinuxResources{
			Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}},
		},
		Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace},
			{Type: specs.NetworkNamespace},
			{Type: specs.IPCNamespace},
			{Type: specs.UTSNamespace},
			{Type: specs.MountNamespace},
		},
		// The files in /proc and /sys that show or change the host.
		MaskedPaths: []string{
			"/proc/acpi",
			"/proc/asound",
			"/proc/kcore",
			"/proc/keys",
			"/proc/latency_stats",
			"/proc/timer_list",
			"/proc/timer_stats",
			"/proc/sched_debug",
			"/sys/firmware",
			"/proc/scsi",
		},
		ReadonlyPaths: []string{
			"/proc/bus",
			"/proc/fs",
			"/proc/irq",
			"/proc/sys",
			"/proc/sysrq-trigger",
		},
	}
}

// makeRootless removes from spec the fields that need privileges.
func makeRootless(spec *specs.Spec, uid, gid uint32) {
	linux := spec.Linux
	// A network namespace would only have a loopback device.
	linux.Namespaces = slices.DeleteFunc(linux.Namespaces, func(ns specs.LinuxNamespace) bool {
		return ns.Type == specs.NetworkNamespace
	})
	linux.Namespaces = append(linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	linux.UIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uid, Size: 1}}
	linux.GIDMappings = []specs.LinuxIDMapping{{ContainerID: 0, HostID: gid, Size: 1}}
	linux.Resources = nil
	for i := range spec.Mounts {
		m := &spec.Mounts[i]
		if m.Destination == "/sys" {
			// Only the owner of the network namespace can mount sysfs.
			*m = specs.Mount{
				Destination: "/sys", Type: "none", Source: "/sys",
				Options: []string{"rbind", "nosuid", "noexec", "nodev", "ro"},
			}
		}
		// Only one id is mapped: a mount cannot have another owner.
		m.Options = slices.DeleteFunc(m.Options, func(option string) bool {
			return strings.HasPrefix(option, "uid=") || strings.HasPrefix(option, "gid=")
		})
	}
}
