// Package scheduling sets the CPU affinity and the scheduling policy of
// processes.
package scheduling

import (
	"errors"
	"fmt"
	"math"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// cpuWords is the length of a CPU mask, in 64-bit words, for the largest
// CONFIG_NR_CPUS, 8192.
const cpuWords = 8192 / 64

// AllCPUs queues the call that resets the affinity to the whole cpuset: a
// container does not inherit the affinity of the runtime.
func AllCPUs(p *stub.Proc) {
	var mask [cpuWords]uint64
	for i := range mask {
		mask[i] = math.MaxUint64
	}
	p.SchedSetaffinity(mask[:])
}

// On calls do on a thread with the affinity cpus; bit N of the concatenated
// words means CPU N. Processes that do starts inherit the affinity. The thread
// ends with the call.
func On(cpus []uint64, do func() error) error {
	set := unix.NewCPUSet(64 * len(cpus))
	for cpu := range 64 * len(cpus) {
		if cpus[cpu/64]>>(cpu%64)&1 != 0 {
			set.Set(cpu)
		}
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this function
		if err := unix.SchedSetaffinityDynamic(0, set); err != nil {
			done <- fmt.Errorf("process.execCPUAffinity.initial: sched_setaffinity: %w", err)
			return
		}
		done <- do()
	}()
	return <-done
}

// RealTime reports whether a policy is a real-time one: its processes run
// before all others.
func RealTime(s *config.Scheduler) bool {
	switch s.Policy {
	case unix.SCHED_FIFO, unix.SCHED_RR, unix.SCHED_DEADLINE:
		return true
	}
	return false
}

// SetPolicy sets the scheduling policy of a process.
func SetPolicy(pid int, s *config.Scheduler) error {
	attr := &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: s.Policy, Flags: s.Flags, Nice: s.Nice, Priority: s.Priority,
		Runtime: s.Runtime, Deadline: s.Deadline, Period: s.Period,
	}
	if err := unix.SchedSetAttr(pid, attr, 0); err != nil {
		return fmt.Errorf("process.scheduler: sched_setattr: %w%s", err, remedy(s, err))
	}
	if s.Nice == 0 || !RealTime(s) {
		return nil
	}
	// The nice value takes effect after a switch to a normal policy, or in a
	// child with SCHED_FLAG_RESET_ON_FORK.
	if err := unix.Setpriority(unix.PRIO_PROCESS, pid, int(s.Nice)); err != nil {
		return fmt.Errorf("process.scheduler.nice: setpriority: %w", err)
	}
	return nil
}

// remedy returns the likely cause of an error, in parentheses.
func remedy(s *config.Scheduler, err error) string {
	switch {
	case errors.Is(err, unix.EPERM) && s.Policy == unix.SCHED_DEADLINE:
		return " (needs CAP_SYS_NICE, and a cpuset with all CPUs of its scheduling domain)"
	case errors.Is(err, unix.EPERM) && RealTime(s):
		return " (needs CAP_SYS_NICE, and on cgroup v1 a cpu cgroup with real-time runtime: linux.resources.cpu.realtimeRuntime)"
	case errors.Is(err, unix.EPERM):
		return " (needs CAP_SYS_NICE)"
	case errors.Is(err, unix.EBUSY) && s.Policy == unix.SCHED_DEADLINE:
		return " (its runtime is more than the host has left for deadlines)"
	case errors.Is(err, unix.EOPNOTSUPP):
		return " (the kernel was built without utilization clamping, CONFIG_UCLAMP_TASK)"
	}
	return ""
}
