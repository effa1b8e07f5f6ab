package fs

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func planBlkio(dir string, r *specs.LinuxResources) ([]cgroupfs.Write, error) {
	b := r.BlockIO
	if b == nil {
		return nil, nil
	}
	if err := cgroupfs.CheckWeights(b); err != nil {
		return nil, err
	}
	// Linux 5.0 removed CFQ; BFQ has its names, with "bfq". On a kernel
	// that has neither, the error names the first.
	prefix := "blkio."
	bfq, err := cgroupfs.Exists(dir, "blkio.bfq.weight")
	if err != nil {
		return nil, err
	}
	if bfq {
		prefix = "blkio.bfq."
	}
	var writes []cgroupfs.Write
	// device is the file with a line for each device; empty if the kernel has
	// none.
	add := func(field, file, device, value string, remedy map[unix.Errno]string) {
		w := cgroupfs.Write{Field: field, File: file, Value: value, Remedy: remedy}
		if device != "" {
			w.Value, w.Row, w.Unset = device+" "+value, device, device+" 0"
		}
		writes = append(writes, w)
	}
	noWeight := map[unix.Errno]string{unix.ENOENT: "this kernel has no such weights: load the bfq scheduler; Linux 5.0 removed leaf weights"}
	weight := func(field, file, device string, w *uint16) {
		if w != nil && *w != 0 {
			add(field, file, device, strconv.FormatUint(uint64(*w), 10), noWeight)
		}
	}
	weight("blockIO.weight", prefix+"weight", "", b.Weight)
	weight("blockIO.leafWeight", "blkio.leaf_weight", "", b.LeafWeight)
	for i, d := range b.WeightDevice {
		field, device := fmt.Sprintf("blockIO.weightDevice[%d].", i), fmt.Sprintf("%d:%d", d.Major, d.Minor)
		weight(field+"weight", prefix+"weight_device", device, d.Weight)
		weight(field+"leafWeight", "blkio.leaf_weight_device", device, d.LeafWeight)
	}
	cgroupfs.BlockIOThrottle(b, func(field, what, device string, rate uint64) {
		file := map[string]string{"rbps": "read_bps", "wbps": "write_bps", "riops": "read_iops", "wiops": "write_iops"}[what]
		add(field, "blkio.throttle."+file+"_device", device, strconv.FormatUint(rate, 10), cgroupfs.DeviceRemedy())
	})
	return writes, nil
}

// statBlkio reads the counters of the blkio controller: those of the devices'
// scheduler or, without them, those of throttling.
func statBlkio(g *cgroupfs.Reader, s *cgroups.Stats) {
	b := &s.Blkio
	type file struct {
		name string
		to   *[]cgroups.BlkioEntry
	}
	// A kernel has all files of a group with a prefix, or none. The second group exists
	// with CFQ, and with BFQ in kernels for debugging.
	for _, group := range [][]file{
		{
			{"io_service_bytes_recursive", &b.IOServiceBytesRecursive},
			{"io_serviced_recursive", &b.IOServicedRecursive},
		},
		{
			{"io_queued_recursive", &b.IOQueueRecursive},
			{"io_service_time_recursive", &b.IOServiceTimeRecursive},
			{"io_wait_time_recursive", &b.IOWaitTimeRecursive},
			{"io_merged_recursive", &b.IOMergedRecursive},
			{"time_recursive", &b.IOTimeRecursive},
			{"sectors_recursive", &b.SectorsRecursive},
		},
	} {
		for _, prefix := range []string{"blkio.bfq.", "blkio.", "blkio.throttle."} {
			for _, f := range group {
				if len(*f.to) > 0 {
					continue
				}
				text, exists := g.TextIf(prefix + f.name)
				if !exists {
					break
				}
				*f.to = parseBlkio(text)
			}
		}
	}
}

// parseBlkio reads lines "8:0 Read 4096" and "8:0 4096". The line "Total N" at
// the end has no device.
func parseBlkio(text string) []cgroups.BlkioEntry {
	var entries []cgroups.BlkioEntry
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		major, minor, ok := cgroupfs.ParseDevice(f[0])
		if !ok {
			continue
		}
		e := cgroups.BlkioEntry{Major: major, Minor: minor}
		if len(f) > 2 {
			e.Op = f[1]
		}
		n, err := cgroupfs.ParseUint(f[len(f)-1])
		if err != nil {
			continue
		}
		e.Value = n
		entries = append(entries, e)
	}
	return entries
}
