package specconv

import (
	"slices"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// procFiles are the files of procfs that a bind mount may cover: those about
// the whole machine, for which lxcfs and similar show the container's share,
// and two that engines adjust. All other destinations in /proc are refused: a
// write to a file there, by berth or by a program that trusts its kernel, could
// change another file (CVE-2019-16884).
var procFiles = []string{
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/loadavg",
	"/proc/meminfo",
	"/proc/pressure/cpu",
	"/proc/pressure/io",
	"/proc/pressure/memory",
	"/proc/slabinfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/sys/crypto/fips_enabled",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/uptime",
}

// procMount is the mount point of a kernel file system in /proc, with its type.
type procMount struct{ where, kind string }

// procMounts are the kernel's own file systems below /proc.
var procMounts = [...]procMount{
	{"/proc", "proc"},
	{"/proc/fs/nfsd", "nfsd"},
	{"/proc/sys/fs/binfmt_misc", "binfmt_misc"},
}

// sysDirs are the directories of sysfs. Another destination in /sys cannot be
// made: it would be in the image, not in sysfs.
var sysDirs = []string{
	"block", "bus", "class", "dev", "devices", "firmware", "fs", "hypervisor", "kernel", "module", "power",
}

// checkDestination refuses destinations in /proc and /sys that are not known to
// be safe. The mount itself checks whether a symbolic link of the image leads
// there, and whether the source of a bind mount on /proc is a procfs.
func checkDestination(m *config.Mount) error {
	field, where := m.Field+".destination", m.Destination
	proc := where == "/proc" || strings.HasPrefix(where, "/proc/")
	switch {
	case m.Remount:
	case !proc:
		return checkInSys(field, where)
	case m.Type == "" && where == "/proc":
	case m.Type == "" && slices.Contains(procFiles, where):
	case slices.Contains(procMounts[:], procMount{where, m.Type}):
	case where == "/proc":
		return fieldErr(m.Field+".type", `%s: only a mount of type "proc" or a bind mount of a procfs can be on "/proc"`, config.Quote(m.Type))
	default:
		return fieldErr(field, `%s: not a file in /proc that a mount may cover (to hide it: linux.maskedPaths)`, config.Quote(where))
	}
	return nil
}

func checkInSys(field, where string) error {
	below, ok := strings.CutPrefix(where, "/sys/")
	if !ok {
		return nil
	}
	dir, _, _ := strings.Cut(below, "/")
	if slices.Contains(sysDirs, dir) {
		return nil
	}
	return fieldErr(field, "%s: sysfs has no directory %s, and none can be made in it", config.Quote(where), config.Quote(dir))
}
