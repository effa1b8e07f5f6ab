package cgroupfs

import (
	"math"
	"strconv"

	"golang.org/x/sys/unix"
)

// The range of cpu.shares. The kernel rounds other values silently.
const (
	MinShares = 2
	MaxShares = 1 << 18
)

// The range of a weight in linux.resources.blockIO.
const (
	MinWeight = 10
	MaxWeight = 1000
)

// SharesToWeight converts v1 cpu.shares (2 to 262144, default 1024) to a v2
// cpu.weight (1 to 10000, default 100). The curve is a parabola in logarithms
// through the ends and the defaults of both, so that a container with the
// default shares has the default weight, as with runc since 1.3.2.
func SharesToWeight(shares uint64) uint64 {
	switch {
	case shares <= MinShares:
		return 1
	case shares >= MaxShares:
		return 10000
	}
	l := math.Log2(float64(shares))
	return uint64(math.Ceil(math.Pow(10, (l*l+125*l)/612-7.0/34)))
}

// IOWeight converts the weight of blockIO (10 to 1000) to that of v2 io.weight
// (1 to 10000), linearly.
func IOWeight(weight uint16) uint64 {
	return 1 + (uint64(weight)-MinWeight)*9999/(MaxWeight-MinWeight)
}

// SwapLimit converts the limit of memory and swap together (linux.resources,
// v1) to the limit of swap alone (v2), in bytes. -1 is unlimited.
func SwapLimit(memoryAndSwap, memory int64) (int64, error) {
	switch {
	case memoryAndSwap == -1:
		return -1, nil
	case memory == -1:
		return 0, Invalid("memory.swap", memoryAndSwap, "a limit of memory and swap needs a limit of memory")
	case memoryAndSwap < memory:
		return 0, Invalid("memory.swap", memoryAndSwap, "it counts memory and swap, and is less than the memory.limit of "+strconv.FormatInt(memory, 10))
	}
	return memoryAndSwap - memory, nil
}

// CheckLimit refuses a negative limit other than -1, which is unlimited.
func CheckLimit(field string, v int64) error {
	if v < -1 {
		return Invalid(field, v, "must be positive, or -1 for unlimited")
	}
	return nil
}

// PidsLimit returns the value for pids.max. A limit of 0 allows no fork, like a
// limit of 1; but with 0 the kernel would not clone init into the cgroup.
func PidsLimit(limit int64) string {
	switch {
	case limit < 0:
		return "max"
	case limit == 0:
		return "1"
	}
	return strconv.FormatInt(limit, 10)
}

// CpusetRemedy explains why the kernel refused a value for cpuset.cpus or
// cpuset.mems.
func CpusetRemedy(file string) map[unix.Errno]string {
	return map[unix.Errno]string{
		unix.EINVAL: "not a list such as 0-3,7 of what this host has",
		unix.ERANGE: "not a list such as 0-3,7 of what this host has",
		unix.EACCES: "not all in " + file + " of the cgroup above",
		unix.EBUSY:  "a cgroup below uses more than that",
	}
}
