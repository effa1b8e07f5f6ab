package libcontainer

import (
	"maps"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// mergeResources copies the fields that are set in r to saved. In most fields 0 means
// "not set", as for the cgroup managers.
func mergeResources(saved, r *specs.LinuxResources) {
	if r.Memory != nil {
		mergeMemory(made(&saved.Memory), r.Memory)
	}
	if r.CPU != nil {
		mergeCPU(made(&saved.CPU), r.CPU)
	}
	if r.Pids != nil {
		take(&made(&saved.Pids).Limit, r.Pids.Limit)
	}
	if r.BlockIO != nil {
		mergeBlockIO(made(&saved.BlockIO), r.BlockIO)
	}
	mergeList(&saved.HugepageLimits, r.HugepageLimits, func(l specs.LinuxHugepageLimit) any { return l.Pagesize })
	if r.Network != nil {
		network := made(&saved.Network)
		take(&network.ClassID, r.Network.ClassID)
		mergeList(&network.Priorities, r.Network.Priorities, func(p specs.LinuxInterfacePriority) any { return p.Name })
	}
	mergeMap(&saved.Rdma, r.Rdma)
	mergeMap(&saved.Unified, r.Unified)
}

func mergeMemory(saved, r *specs.LinuxMemory) {
	if isSet(r.Limit) && *r.Limit == -1 && !isSet(r.Swap) {
		saved.Swap = r.Limit // memory without a limit has none with swap either
	}
	takeSet(&saved.Limit, r.Limit)
	takeSet(&saved.Reservation, r.Reservation)
	takeSet(&saved.Swap, r.Swap)
	takeSet(&saved.Kernel, r.Kernel)
	takeSet(&saved.KernelTCP, r.KernelTCP)
	take(&saved.Swappiness, r.Swappiness)
	take(&saved.DisableOOMKiller, r.DisableOOMKiller)
	take(&saved.UseHierarchy, r.UseHierarchy)
	take(&saved.CheckBeforeUpdate, r.CheckBeforeUpdate)
}

func mergeCPU(saved, r *specs.LinuxCPU) {
	takeSet(&saved.Shares, r.Shares)
	takeSet(&saved.Quota, r.Quota)
	take(&saved.Burst, r.Burst)
	takeSet(&saved.Period, r.Period)
	takeSet(&saved.RealtimeRuntime, r.RealtimeRuntime)
	takeSet(&saved.RealtimePeriod, r.RealtimePeriod)
	take(&saved.Idle, r.Idle)
	if r.Cpus != "" {
		saved.Cpus = r.Cpus
	}
	if r.Mems != "" {
		saved.Mems = r.Mems
	}
}

func mergeBlockIO(saved, r *specs.LinuxBlockIO) {
	takeSet(&saved.Weight, r.Weight)
	takeSet(&saved.LeafWeight, r.LeafWeight)
	mergeList(&saved.WeightDevice, r.WeightDevice, func(d specs.LinuxWeightDevice) any { return d.LinuxBlockIODevice })
	device := func(d specs.LinuxThrottleDevice) any { return d.LinuxBlockIODevice }
	mergeList(&saved.ThrottleReadBpsDevice, r.ThrottleReadBpsDevice, device)
	mergeList(&saved.ThrottleWriteBpsDevice, r.ThrottleWriteBpsDevice, device)
	mergeList(&saved.ThrottleReadIOPSDevice, r.ThrottleReadIOPSDevice, device)
	mergeList(&saved.ThrottleWriteIOPSDevice, r.ThrottleWriteIOPSDevice, device)
}

// made returns the value of a pointer; it allocates one if the pointer is nil.
func made[T any](p **T) *T {
	if *p == nil {
		*p = new(T)
	}
	return *p
}

// take copies a value that is not nil.
func take[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// takeSet copies a value that is neither nil nor 0.
func takeSet[T comparable](to **T, from *T) {
	if isSet(from) {
		*to = from
	}
}

func isSet[T comparable](v *T) bool { return v != nil && *v != *new(T) }

// mergeList replaces the elements of to that have the key of an element of from, and
// appends the others.
func mergeList[T any](to *[]T, from []T, key func(T) any) {
	at := make(map[any]int, len(*to))
	for i, v := range slices.Backward(*to) { // of several with one key, the first is replaced
		at[key(v)] = i
	}
	for _, given := range from {
		if i, ok := at[key(given)]; ok {
			(*to)[i] = given
		} else {
			at[key(given)] = len(*to)
			*to = append(*to, given)
		}
	}
}

func mergeMap[T any](to *map[string]T, from map[string]T) {
	if *to == nil && len(from) > 0 {
		*to = make(map[string]T)
	}
	maps.Copy(*to, from)
}
