package systemd

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/godbus/dbus/v5"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
)

// property is a property of a unit, org.freedesktop.systemd1(5).
type property struct {
	name  string
	value dbus.Variant
	// optional means that a systemd without this property can ignore it: the
	// files of the cgroup have the value too.
	optional bool
	// with is the name of a group of properties that are only useful together;
	// empty for none.
	with string
	// instead is the property for a systemd that lacks this one.
	instead *property
}

// wire is the form of a property on the bus.
type wire struct {
	Name  string
	Value dbus.Variant
}

func (p property) wire() wire { return wire{p.name, p.value} }

func prop(name string, value any) property {
	return property{name: name, value: dbus.MakeVariant(value)}
}

func optional(name string, value any) property {
	return property{name: name, value: dbus.MakeVariant(value), optional: true}
}

// process returns the property that puts a process into a scope. It uses a
// pidfd, which cannot refer to another process, if systemd (254) and the
// connection support it. The caller closes the file.
func process(pid int, b *bus) (property, *os.File, error) {
	byPid := prop("PIDs", []uint32{uint32(pid)})
	if !b.passesFiles() {
		return byPid, nil, nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return property{}, nil, fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	p := prop("PIDFDs", []dbus.UnixFD{dbus.UnixFD(fd)})
	p.instead = &byPid
	return p, os.NewFile(uintptr(fd), "pidfd"), nil
}

// unitProperties returns all properties of a new unit except its process.
// Annotations override berth's own properties.
func (m *Manager) unitProperties(r *specs.LinuxResources) ([]property, error) {
	list := []property{prop("Description", "berth container unit "+m.unit.Name)}
	if m.place.isSlice() {
		list = append(list, prop("Wants", []string{m.place.slice}))
	} else {
		list = append(list, prop("Slice", m.place.slice), prop("Delegate", true),
			// The scope of a failed init then leaves nothing, even if the
			// container is never deleted (systemd 236).
			optional("CollectMode", "inactive-or-failed"))
	}
	list = append(list,
		prop("MemoryAccounting", true), prop("CPUAccounting", true), prop("IOAccounting", true), prop("TasksAccounting", true),
		prop("DefaultDependencies", false)) // it ends at shutdown when its creator does
	limits, err := m.limits(r)
	if err != nil {
		return nil, err
	}
	return override(append(list, limits...), m.extra), nil
}

// override returns list with the properties of extra, which replace those of
// the same name.
func override(list, extra []property) []property {
	named := make(map[string]bool, len(extra))
	for _, p := range extra {
		named[p.name] = true
	}
	var out []property
	for _, p := range list {
		if !named[p.name] {
			out = append(out, p)
		}
	}
	return append(out, extra...)
}

// unlimited is systemd's value for "no limit".
const unlimited = uint64(math.MaxUint64)

// byFile has the property for a file of the cgroup. If the function returns no
// property, only the file gets the value.
func byFile() map[string]func(dir, value string) []property {
	return map[string]func(dir, value string) []property{
		"cpu.idle":         cpuIdle,
		"cpu.max":          cpuMax,
		"cpu.weight":       number("CPUWeight"),
		"cpuset.cpus":      bitmap("AllowedCPUs"),        // systemd 244
		"cpuset.mems":      bitmap("AllowedMemoryNodes"), // systemd 244
		"io.weight":        ioWeight,
		"memory.high":      number("MemoryHigh"),
		"memory.low":       number("MemoryLow"),
		"memory.max":       number("MemoryMax"),
		"memory.min":       number("MemoryMin"),
		"memory.oom.group": oomPolicy,
		"memory.swap.max":  number("MemorySwapMax"),
		"memory.zswap.max": number("MemoryZSwapMax"), // systemd 253
		"pids.max":         number("TasksMax"),
	}
}

// fromWrites returns the properties for the writes to the cgroup dir. The last
// one of a name counts.
func fromWrites(dir string, writes []cgroupfs.Write) []property {
	known := byFile()
	var list []property
	for _, w := range writes {
		if convert := known[w.File]; convert != nil {
			list = override(list, convert(dir, strings.TrimSpace(w.Value)))
		}
	}
	return list
}

func number(name string) func(dir, value string) []property {
	return func(_, value string) []property {
		n, err := limit(value)
		if err != nil {
			return nil
		}
		return []property{optional(name, n)}
	}
}

func limit(s string) (uint64, error) {
	if s == "max" {
		return unlimited, nil
	}
	return strconv.ParseUint(s, 10, 64)
}

// cpuIdle: a weight of 0 is idle (systemd 252).
func cpuIdle(_, value string) []property {
	if value != "1" {
		return nil
	}
	return []property{optional("CPUWeight", uint64(0))}
}

// cpuMax converts "QUOTA PERIOD" to CPU time per second. In the files that
// systemd reads on a reload it keeps hundredths of a percent and drops the
// rest, so cpuMax rounds up.
func cpuMax(dir, value string) []property {
	quota, periodText, ok := strings.Cut(value, " ")
	if !ok {
		periodText = "100000" // the kernel's default
		if now, err := cgroupfs.ReadFile(dir, "cpu.max"); err == nil {
			_, periodText, _ = strings.Cut(now, " ")
		}
	}
	period, err := strconv.ParseUint(periodText, 10, 64)
	if err != nil || period == 0 {
		return nil
	}
	second, err := limit(quota)
	if err != nil {
		return nil
	}
	if second != unlimited {
		const usec, step = 1_000_000, 100
		if second > unlimited/usec {
			return nil
		}
		second = (second*usec/period + step - 1) / step * step
	}
	return []property{optional("CPUQuotaPerSecUSec", second), optional("CPUQuotaPeriodUSec", period)} // the period: systemd 242
}

func ioWeight(_, value string) []property {
	n, err := strconv.ParseUint(strings.TrimPrefix(value, "default "), 10, 64)
	if err != nil {
		return nil
	}
	return []property{optional("IOWeight", n)}
}

// oomPolicy converts memory.oom.group: systemd's action on the other processes
// when one is OOM-killed (systemd 253 in scopes).
func oomPolicy(_, value string) []property {
	switch value {
	case "0":
		return []property{optional("OOMPolicy", "continue")}
	case "1":
		return []property{optional("OOMPolicy", "kill")}
	}
	return nil
}

// bitmap converts a list such as "0-3,7" to bytes, the lowest first.
func bitmap(name string) func(dir, value string) []property {
	return func(_, value string) []property {
		bits, ok := parseBitmap(value)
		if !ok {
			return nil
		}
		return []property{optional(name, bits)}
	}
}

func parseBitmap(list string) ([]byte, bool) {
	const most = 1 << 16 // more than any kernel has CPUs
	var bits []byte
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		first, last, ok := strings.Cut(part, "-")
		if !ok {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || from < 0 || to < from || to >= most {
			return nil, false
		}
		for n := from; n <= to; n++ {
			for len(bits) <= n/8 {
				bits = append(bits, 0)
			}
			bits[n/8] |= 1 << (n % 8)
		}
	}
	return bits, len(bits) > 0
}
