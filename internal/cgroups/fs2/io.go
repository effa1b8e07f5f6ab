package fs2

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func planIO(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	b := r.BlockIO
	if b == nil {
		return nil, nil
	}
	if err := cgroupfs.CheckWeights(b); err != nil {
		return nil, err
	}
	if b.LeafWeight != nil && *b.LeafWeight != 0 {
		return nil, cgroupfs.Unsupported("blockIO.leafWeight", "Linux 5.0 removed leaf weights with the cfq scheduler")
	}
	var writes []cgroupfs.Write
	// row is the first word of the line in the file; writing unset removes it.
	add := func(field, file, value, row, unset string, remedy map[unix.Errno]string) {
		writes = append(writes, cgroupfs.Write{Field: field, File: file, Value: value, Row: row, Unset: unset, Remedy: remedy})
	}
	// BFQ has a file of its own, with the range of blockIO. io.weight belongs
	// to iocost.
	file, convert := "io.weight", cgroupfs.IOWeight
	bfq, err := cgroupfs.Exists(dir, "io.bfq.weight")
	if err != nil {
		return nil, err
	}
	if bfq {
		file, convert = "io.bfq.weight", func(w uint16) uint64 { return uint64(w) }
	}
	remedy := cgroupfs.DeviceRemedy()
	remedy[unix.ENOENT] = "this kernel has no weights: neither bfq (modprobe bfq) nor iocost"
	if b.Weight != nil && *b.Weight != 0 {
		add("blockIO.weight", file, strconv.FormatUint(convert(*b.Weight), 10), "default", "", remedy)
	}
	for i, d := range b.WeightDevice {
		field := fmt.Sprintf("blockIO.weightDevice[%d]", i)
		if d.LeafWeight != nil && *d.LeafWeight != 0 {
			return nil, cgroupfs.Unsupported(field+".leafWeight", "Linux 5.0 removed leaf weights with the cfq scheduler")
		}
		if d.Weight != nil && *d.Weight != 0 {
			device := fmt.Sprintf("%d:%d", d.Major, d.Minor)
			add(field+".weight", file, fmt.Sprintf("%s %d", device, convert(*d.Weight)), device, device+" default", remedy)
		}
	}
	cgroupfs.BlockIOThrottle(b, func(field, what, device string, rate uint64) {
		value := "max" // 0 removes a limit, as on v1
		if rate != 0 {
			value = strconv.FormatUint(rate, 10)
		}
		add(field, "io.max", device+" "+what+"="+value, device, device+" "+what+"=max", cgroupfs.DeviceRemedy())
	})
	return writes, nil
}

// statIO reads the counters of the io controller.
func statIO(g *cgroupfs.Reader, s *cgroups.Stats) {
	b := &s.Blkio
	for line := range strings.Lines(g.Text("io.stat")) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		major, minor, ok := cgroupfs.ParseDevice(f[0])
		if !ok {
			continue
		}
		e := cgroups.BlkioEntry{Major: major, Minor: minor}
		for _, field := range f[1:] {
			key, value, _ := strings.Cut(field, "=")
			to := &b.IOServicedRecursive
			switch key {
			case "rbytes", "wbytes":
				to = &b.IOServiceBytesRecursive
			case "rios", "wios":
			default:
				continue
			}
			e.Op = "Read"
			if key[0] == 'w' {
				e.Op = "Write"
			}
			e.Value = g.Parse(value)
			*to = append(*to, e)
		}
	}
}
