package cgroups

// Stats are the kernel's counters of a cgroup. The JSON form is "data" in a
// line of runc's events command, without the parts that are not of the cgroup
// (intel_rdt, network_interfaces).
type Stats struct {
	CPU     CPUStats                `json:"cpu"`
	CPUSet  CPUSetStats             `json:"cpuset"`
	Memory  MemoryStats             `json:"memory"`
	Pids    PidsStats               `json:"pids"`
	Blkio   BlkioStats              `json:"blkio"`
	Hugetlb map[string]HugetlbStats `json:"hugetlb"` // by page size, "2MB"

	// runc's events command does not print these.
	RDMA map[string]RDMAStats `json:"rdma,omitempty"` // by device, "mlx5_0"
	Misc map[string]Count     `json:"misc,omitempty"` // by resource, "sev"
}

// NewStats returns empty statistics.
func NewStats() *Stats {
	return &Stats{Hugetlb: make(map[string]HugetlbStats)}
}

// CPUStats are counters of CPU time.
type CPUStats struct {
	Usage      CPUUsage   `json:"usage"`
	Throttling Throttling `json:"throttling,omitzero"`
	PSI        *PSI       `json:"psi,omitempty"` // v2
}

// CPUUsage is CPU time used, in nanoseconds.
type CPUUsage struct {
	Total        uint64   `json:"total,omitempty"`
	PerCPU       []uint64 `json:"percpu,omitempty"`        // v1
	PerCPUKernel []uint64 `json:"percpu_kernel,omitempty"` // v1
	PerCPUUser   []uint64 `json:"percpu_user,omitempty"`   // v1
	Kernel       uint64   `json:"kernel"`
	User         uint64   `json:"user"`
}

// Throttling are counters of the CPU quota.
type Throttling struct {
	Periods          uint64 `json:"periods,omitempty"`
	ThrottledPeriods uint64 `json:"throttledPeriods,omitempty"`
	ThrottledTime    uint64 `json:"throttledTime,omitempty"` // nanoseconds
}

// CPUSetStats are the settings of a v1 cpuset cgroup.
type CPUSetStats struct {
	CPUs                  []uint16 `json:"cpus,omitempty"`
	CPUExclusive          uint64   `json:"cpu_exclusive"`
	Mems                  []uint16 `json:"mems,omitempty"`
	MemHardwall           uint64   `json:"mem_hardwall"`
	MemExclusive          uint64   `json:"mem_exclusive"`
	MemoryMigrate         uint64   `json:"memory_migrate"`
	MemorySpreadPage      uint64   `json:"memory_spread_page"`
	MemorySpreadSlab      uint64   `json:"memory_spread_slab"`
	MemoryPressure        uint64   `json:"memory_pressure"`
	SchedLoadBalance      uint64   `json:"sched_load_balance"`
	SchedRelaxDomainLevel int64    `json:"sched_relax_domain_level"`
}

// MemoryStats are counters of memory, in bytes.
type MemoryStats struct {
	Cache     uint64            `json:"cache,omitempty"`
	Usage     MemoryUsage       `json:"usage,omitzero"`
	Swap      MemoryUsage       `json:"swap,omitzero"`      // memory and swap together
	Kernel    MemoryUsage       `json:"kernel,omitzero"`    // v1
	KernelTCP MemoryUsage       `json:"kernelTCP,omitzero"` // v1
	Raw       map[string]uint64 `json:"raw,omitempty"`      // memory.stat
	PSI       *PSI              `json:"psi,omitempty"`      // v2

	// NUMA is memory.numa_stat, in bytes: by the kernel's word ("anon", "file"), then by
	// node. On v1, "total" counts this cgroup alone, "hierarchical_total" also the
	// cgroups below.
	NUMA map[string]map[int]uint64 `json:"numa,omitempty"`

	// OOMKills is the number of processes that the kernel has killed because of
	// the memory limit.
	OOMKills uint64 `json:"-"`
	// OOMs is the number of allocations that failed because of the limit (v2).
	// A process that dies of that in execve is not in OOMKills.
	OOMs uint64 `json:"-"`
}

// MemoryUsage is one kind of memory.
type MemoryUsage struct {
	Limit   uint64 `json:"limit"`
	Usage   uint64 `json:"usage,omitempty"`
	Max     uint64 `json:"max,omitempty"`
	Failcnt uint64 `json:"failcnt"`
}

// PidsStats counts processes and threads.
type PidsStats struct {
	Current uint64 `json:"current,omitempty"`
	Limit   uint64 `json:"limit,omitempty"` // 0: no limit
}

// BlkioStats are counters of block devices.
type BlkioStats struct {
	IOServiceBytesRecursive []BlkioEntry `json:"ioServiceBytesRecursive,omitempty"`
	IOServicedRecursive     []BlkioEntry `json:"ioServicedRecursive,omitempty"`
	IOQueueRecursive        []BlkioEntry `json:"ioQueueRecursive,omitempty"`       // v1
	IOServiceTimeRecursive  []BlkioEntry `json:"ioServiceTimeRecursive,omitempty"` // v1
	IOWaitTimeRecursive     []BlkioEntry `json:"ioWaitTimeRecursive,omitempty"`    // v1
	IOMergedRecursive       []BlkioEntry `json:"ioMergedRecursive,omitempty"`      // v1
	IOTimeRecursive         []BlkioEntry `json:"ioTimeRecursive,omitempty"`        // v1
	SectorsRecursive        []BlkioEntry `json:"sectorsRecursive,omitempty"`       // v1
	PSI                     *PSI         `json:"psi,omitempty"`                    // v2
}

// BlkioEntry is one counter of a block device.
type BlkioEntry struct {
	Major uint64 `json:"major,omitempty"`
	Minor uint64 `json:"minor,omitempty"`
	Op    string `json:"op,omitempty"`
	Value uint64 `json:"value,omitempty"`
}

// HugetlbStats are counters of huge pages of one size, in bytes.
type HugetlbStats struct {
	Usage   uint64 `json:"usage,omitempty"`
	Max     uint64 `json:"max,omitempty"` // v1
	Failcnt uint64 `json:"failcnt"`
}

// RDMAStats are counters of one RDMA device.
type RDMAStats struct {
	Handles Count `json:"handles"`
	Objects Count `json:"objects"`
}

// Count is a resource of which the kernel counts the units.
type Count struct {
	Limit   uint64 `json:"limit"`         // Max: no limit
	Usage   uint64 `json:"usage"`         // now
	Max     uint64 `json:"max,omitempty"` // the highest usage, since Linux 6.12
	Failcnt uint64 `json:"failcnt"`       // how often the limit was reached
}

// PSI is pressure stall information: how long some or all of the processes
// waited for a resource.
type PSI struct {
	Some PSITimes `json:"some"`
	Full PSITimes `json:"full"`
}

// PSITimes are percentages over the last 10, 60 and 300 seconds, and a total
// in microseconds.
type PSITimes struct {
	Avg10  float64 `json:"avg10"`
	Avg60  float64 `json:"avg60"`
	Avg300 float64 `json:"avg300"`
	Total  uint64  `json:"total"`
}
