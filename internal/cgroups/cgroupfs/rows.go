package cgroupfs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Writes that are the same on v1 and v2.

// DeviceRemedy explains why the kernel refused a line that begins with the
// numbers of a block device.
func DeviceRemedy() map[unix.Errno]string {
	return map[unix.Errno]string{
		unix.ENODEV:     "no such block device",
		unix.ENXIO:      "no such block device",
		unix.EOPNOTSUPP: "the I/O scheduler of that device has no weights; bfq has",
	}
}

// RdmaWrites returns the writes for linux.resources.rdma.
func RdmaWrites(rdma map[string]specs.LinuxRdma) ([]Write, error) {
	var writes []Write
	for _, device := range slices.Sorted(maps.Keys(rdma)) {
		r, value := rdma[device], device
		field := "rdma[" + strconv.Quote(device) + "]"
		if r.HcaHandles == nil && r.HcaObjects == nil {
			return nil, Invalid(field, "{}", "neither hcaHandles nor hcaObjects")
		}
		if r.HcaHandles != nil {
			value += fmt.Sprintf(" hca_handle=%d", *r.HcaHandles)
		}
		if r.HcaObjects != nil {
			value += fmt.Sprintf(" hca_object=%d", *r.HcaObjects)
		}
		writes = append(writes, Write{
			Field: field, File: "rdma.max", Row: device, Value: value,
			Remedy: map[unix.Errno]string{unix.ENODEV: "no such RDMA device"},
		})
	}
	return writes, nil
}

// HugetlbWrites returns the writes to the directory dir for
// linux.resources.hugepageLimits: limits on used pages and, if the kernel has
// them (Linux 5.7), on reserved ones. A refused reservation is an error of
// mmap(2), a refused page a SIGBUS.
func HugetlbWrites(dir, suffix string, limits []specs.LinuxHugepageLimit) ([]Write, error) {
	var writes []Write
	for i, l := range limits {
		field := fmt.Sprintf("hugepageLimits[%d]", i)
		if !isPageSize(l.Pagesize) {
			return nil, Invalid(field+".pageSize", strconv.Quote(l.Pagesize), "such as 2MB")
		}
		value := strconv.FormatUint(l.Limit, 10)
		for _, kind := range []string{".", ".rsvd."} {
			w := Write{
				Field: field, File: "hugetlb." + l.Pagesize + kind + suffix, Value: value,
				Remedy: map[unix.Errno]string{unix.ENOENT: "no huge pages of that size, see /sys/kernel/mm/hugepages"},
			}
			there, err := Exists(dir, w.File)
			if kind == "." || there {
				writes = append(writes, w)
			} else if err != nil {
				return nil, InField(field, fmt.Errorf("%s: %w", field, err))
			}
		}
	}
	return writes, nil
}

// isPageSize reports whether s is a size as in the names of hugetlb files:
// "2MB".
func isPageSize(s string) bool {
	digits := strings.TrimRight(s, "KMGB")
	unit := s[len(digits):]
	return digits != "" && digits[0] != '0' && strings.Trim(digits, "0123456789") == "" &&
		(unit == "KB" || unit == "MB" || unit == "GB")
}

// BlockIOThrottle calls add for each rate in b, with the kernel's key ("rbps",
// "wbps", "riops", "wiops"), the device ("8:0") and the rate.
func BlockIOThrottle(b *specs.LinuxBlockIO, add func(field, what, device string, rate uint64)) {
	for _, t := range []struct {
		name, what string
		list       []specs.LinuxThrottleDevice
	}{
		{"throttleReadBpsDevice", "rbps", b.ThrottleReadBpsDevice},
		{"throttleWriteBpsDevice", "wbps", b.ThrottleWriteBpsDevice},
		{"throttleReadIOPSDevice", "riops", b.ThrottleReadIOPSDevice},
		{"throttleWriteIOPSDevice", "wiops", b.ThrottleWriteIOPSDevice},
	} {
		for i, d := range t.list {
			add(fmt.Sprintf("blockIO.%s[%d]", t.name, i), t.what, fmt.Sprintf("%d:%d", d.Major, d.Minor), d.Rate)
		}
	}
}

// CheckWeights refuses weights out of range, and devices without a weight.
func CheckWeights(b *specs.LinuxBlockIO) error {
	check := func(field string, w *uint16) error {
		if w != nil && *w != 0 && (*w < MinWeight || *w > MaxWeight) {
			return Invalid(field, *w, "10 to 1000")
		}
		return nil
	}
	if err := check("blockIO.weight", b.Weight); err != nil {
		return err
	}
	if err := check("blockIO.leafWeight", b.LeafWeight); err != nil {
		return err
	}
	for i, d := range b.WeightDevice {
		field := fmt.Sprintf("blockIO.weightDevice[%d]", i)
		if d.Weight == nil && d.LeafWeight == nil {
			return Invalid(field, fmt.Sprintf("%d:%d", d.Major, d.Minor), "neither weight nor leafWeight")
		}
		if err := check(field+".weight", d.Weight); err != nil {
			return err
		}
		if err := check(field+".leafWeight", d.LeafWeight); err != nil {
			return err
		}
	}
	return nil
}

// CheckShares refuses cpu.shares that the kernel would change silently.
func CheckShares(shares uint64) error {
	switch {
	case shares < MinShares:
		return Invalid("cpu.shares", shares, "the minimum allowed cpu-shares is 2")
	case shares > MaxShares:
		return Invalid("cpu.shares", shares, "the maximum allowed cpu-shares is 262144")
	}
	return nil
}
