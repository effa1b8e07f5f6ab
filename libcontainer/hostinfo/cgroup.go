package hostinfo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
)

// Cgroup describes the host's cgroups.
type Cgroup struct {
	// Version is v1, v2, hybrid (v1, with v2 on /sys/fs/cgroup/unified) or none.
	Version string `json:"version"`
	// Driver makes the cgroups of containers: cgroupfs or systemd.
	Driver string `json:"driver"`
	// Systemd is set if systemd is the host's init, so that the driver systemd works
	// on v2.
	Systemd bool `json:"systemd"`
	// Controllers are those that containers can have: of v2, those of the root cgroup, or
	// of the caller's if the caller cannot make cgroups in the root.
	Controllers []string `json:"controllers"`
	// Devices says whether device rules can be set: yes, no, or unknown without
	// CAP_BPF.
	Devices string `json:"devices"`
	// Kill is set if the kernel has cgroup.kill, Peak if it has memory.peak. Both
	// are unknown, and false, in the root cgroup of v2.
	Kill bool `json:"kill"`
	Peak bool `json:"peak"`
	// Root is set if the caller is in the root cgroup of v2.
	Root bool `json:"root"`
	// Limits are those of the caller's own cgroup, which bound containers below it,
	// by the name of the file.
	Limits map[string]string `json:"limits"`
}

// own are the caller's cgroups, by controller, and "" for v2.
type own map[string]string

func (h *host) cgroup(o Options) Cgroup {
	c := Cgroup{Version: "none", Driver: "cgroupfs", Controllers: []string{}, Devices: "no", Limits: map[string]string{}}
	c.Systemd = h.exists("/run/systemd/system") // sd_booted(3)
	if o.SystemdCgroup {
		c.Driver = "systemd"
	}
	dirs, err := manager.Own(h.root + manager.DefaultRoot)
	if err != nil {
		h.note(err)
		return c
	}
	c.Version = version(dirs)
	c.Controllers = h.controllers(dirs)
	c.Devices = h.devices(c, dirs)
	if v2, ok := dirs[""]; ok {
		c.Root = h.root == "" && !h.exists(v2+"/cgroup.type")
		c.Kill, c.Peak = h.exists(v2+"/cgroup.kill"), h.exists(v2+"/memory.peak")
	}
	c.Limits = h.cgroupLimits(dirs)
	return c
}

func version(dirs own) string {
	_, v2 := dirs[""]
	switch {
	case v2 && len(dirs) == 1:
		return "v2"
	case v2:
		return "hybrid"
	case len(dirs) > 0:
		return "v1"
	}
	return "none"
}

func (h *host) controllers(dirs own) []string {
	if version(dirs) == "v2" {
		top := manager.DefaultRoot
		if unix.Access(h.root+top+"/cgroup.subtree_control", unix.W_OK) != nil {
			top = dirs[""]
		}
		return append([]string{}, strings.Fields(h.text(top+"/cgroup.controllers"))...)
	}
	list := []string{}
	for _, name := range slices.Sorted(maps.Keys(dirs)) {
		if name != "" && !strings.HasPrefix(name, "name=") {
			list = append(list, name)
		}
	}
	return list
}

// BPF_PROG_TYPE_CGROUP_DEVICE, and the program "return 1".
const typeCgroupDevice = 15

var allowAll = [...]uint64{0x00000001_0000_00_b7, 0x00000000_0000_00_95}

// devices asks for the two ways in which device rules are set: the v1 controller, or
// a program on v2.
func (h *host) devices(c Cgroup, dirs own) string {
	if c.Version != "v2" {
		if dirs["devices"] != "" {
			return "yes"
		}
		return "no"
	}
	var code []byte
	for _, instruction := range allowAll {
		code = binary.NativeEndian.AppendUint64(code, instruction)
	}
	fd, err := sys.BPFLoad(typeCgroupDevice, code, "Apache-2.0", "berth_info", nil)
	switch {
	case err == nil:
		if err := unix.Close(fd); err != nil {
			h.note(fmt.Errorf("close device program: %w", err))
		}
		return "yes"
	case errors.Is(err, unix.EPERM):
		return "unknown"
	}
	return "no"
}

// limitFiles are the files with limits, by v1 controller; v2 has all in one directory.
var limitFiles = [...]struct{ controller, file string }{
	{"cpu", "cpu.cfs_quota_us"},
	{"cpuset", "cpuset.cpus"},
	{"memory", "memory.limit_in_bytes"},
	{"pids", "pids.max"},
	{"", "cpu.max"},
	{"", "cpuset.cpus.effective"},
	{"", "memory.max"},
	{"", "memory.swap.max"},
	{"", "pids.max"},
	{"", "cgroup.max.descendants"},
	{"", "cgroup.max.depth"},
}

func (h *host) cgroupLimits(dirs own) map[string]string {
	all := map[string]string{}
	for _, l := range limitFiles {
		dir, ok := dirs[l.controller]
		if !ok {
			continue
		}
		if value := h.text(dir + "/" + l.file); value != "" {
			all[l.file] = value
		}
	}
	return all
}
