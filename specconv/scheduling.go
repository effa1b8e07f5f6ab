package specconv

import (
	"math"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// policies are the values of process.scheduler.policy. SCHED_ISO, which the
// specification has too, is only a reserved number in the kernel
// (include/uapi/linux/sched.h).
var policies = []number{
	{string(specs.SchedOther), unix.SCHED_NORMAL},
	{string(specs.SchedFIFO), unix.SCHED_FIFO},
	{string(specs.SchedRR), unix.SCHED_RR},
	{string(specs.SchedBatch), unix.SCHED_BATCH},
	{string(specs.SchedIdle), unix.SCHED_IDLE},
	{string(specs.SchedDeadline), unix.SCHED_DEADLINE},
}

// policyFlags are the values of process.scheduler.flags.
var policyFlags = []number{
	{string(specs.SchedFlagResetOnFork), unix.SCHED_FLAG_RESET_ON_FORK},
	{string(specs.SchedFlagReclaim), unix.SCHED_FLAG_RECLAIM},
	{string(specs.SchedFlagDLOverrun), unix.SCHED_FLAG_DL_OVERRUN},
	{string(specs.SchedFlagKeepPolicy), unix.SCHED_FLAG_KEEP_POLICY},
	{string(specs.SchedFlagKeepParams), unix.SCHED_FLAG_KEEP_PARAMS},
	{string(specs.SchedFlagUtilClampMin), unix.SCHED_FLAG_UTIL_CLAMP_MIN},
	{string(specs.SchedFlagUtilClampMax), unix.SCHED_FLAG_UTIL_CLAMP_MAX},
}

// ioClasses are the values of process.ioPriority.class (ioprio_set(2)).
var ioClasses = []number{
	{string(specs.IOPRIO_CLASS_RT), 1},
	{string(specs.IOPRIO_CLASS_BE), 2},
	{string(specs.IOPRIO_CLASS_IDLE), 3},
}

// convertScheduler checks the scheduling policy by the rules of
// sched_setattr(2), as far as they do not depend on the host.
func convertScheduler(out *config.Process, p *specs.Process, field string) error {
	s := p.Scheduler
	if s == nil {
		return nil
	}
	field += ".scheduler"
	if s.Policy == specs.SchedISO {
		return fieldErr(field+".policy", "%q: no Linux kernel has it", s.Policy)
	}
	policy, err := lookUp(field+".policy", "policy", string(s.Policy), policies)
	if err != nil {
		return err
	}
	flags, err := lookUpFlags(field+".flags", "flag", s.Flags, policyFlags)
	if err != nil {
		return err
	}
	if err := checkPriority(field, policy, s); err != nil {
		return err
	}
	if err := checkDeadline(field, policy, s); err != nil {
		return err
	}
	out.Scheduler = &config.Scheduler{
		Policy: uint32(policy), Flags: flags, Nice: s.Nice, Priority: uint32(s.Priority),
		Runtime: s.Runtime, Deadline: s.Deadline, Period: s.Period,
	}
	return nil
}

// checkPriority checks the nice value and the real-time priority.
func checkPriority(field string, policy uint64, s *specs.Scheduler) error {
	if s.Nice < -20 || s.Nice > 19 {
		return fieldErr(field+".nice", "%d: want -20 to 19", s.Nice)
	}
	switch {
	case policy == unix.SCHED_FIFO || policy == unix.SCHED_RR:
		if s.Priority < 1 || s.Priority > 99 {
			return fieldErr(field+".priority", "%d: %s wants 1 to 99", s.Priority, s.Policy)
		}
	case s.Priority != 0:
		return fieldErr(field+".priority", "%d: only SCHED_FIFO and SCHED_RR have one; others have nice", s.Priority)
	}
	return nil
}

// shortest is the shortest runtime that the kernel accepts, in nanoseconds
// (DL_SCALE in kernel/sched/sched.h).
const shortest = 1024

// checkDeadline checks the fields of SCHED_DEADLINE; sched(7).
func checkDeadline(field string, policy uint64, s *specs.Scheduler) error {
	for _, v := range []struct {
		name  string
		value uint64
	}{{"runtime", s.Runtime}, {"deadline", s.Deadline}, {"period", s.Period}} {
		if v.value != 0 && policy != unix.SCHED_DEADLINE {
			return fieldErr(field+"."+v.name, "%d: only SCHED_DEADLINE has one", v.value)
		}
		if v.value > math.MaxInt64 {
			return fieldErr(field+"."+v.name, "%d: at most %d", v.value, int64(math.MaxInt64))
		}
	}
	if policy != unix.SCHED_DEADLINE {
		return nil
	}
	period := s.Period
	if period == 0 {
		period = s.Deadline
	}
	switch {
	case s.Runtime < shortest:
		return fieldErr(field+".runtime", "%d: want at least %d nanoseconds", s.Runtime, shortest)
	case s.Deadline < s.Runtime:
		return fieldErr(field+".deadline", "%d: shorter than the runtime, %d", s.Deadline, s.Runtime)
	case period < s.Deadline:
		return fieldErr(field+".period", "%d: shorter than the deadline, %d", s.Period, s.Deadline)
	}
	return nil
}

// convertIOPriority checks the class and the level within it.
func convertIOPriority(out *config.Process, p *specs.Process, field string) error {
	io := p.IOPriority
	if io == nil {
		return nil
	}
	field += ".ioPriority"
	class, err := lookUp(field+".class", "class", string(io.Class), ioClasses)
	if err != nil {
		return err
	}
	if io.Priority < 0 || io.Priority > 7 {
		return fieldErr(field+".priority", "%d: want 0 (first) to 7 (last)", io.Priority)
	}
	const classShift = 13 // IOPRIO_CLASS_SHIFT in include/uapi/linux/ioprio.h
	value := int(class)<<classShift | io.Priority
	out.IOPriority = &value
	return nil
}

// cpuMost is one more than the highest CPU number of any kernel configuration.
const cpuMost = 8192

// convertAffinity checks the CPUs for a process that exec adds to the
// container: before and after it enters the container's cgroup.
func convertAffinity(out *config.Process, p *specs.Process, field string) (err error) {
	a := p.ExecCPUAffinity
	if a == nil {
		return nil
	}
	field += ".execCPUAffinity"
	out.ExecAffinity = new(config.ExecAffinity)
	if out.ExecAffinity.Initial, err = bitmap(field+".initial", "CPU", a.Initial, cpuMost); err != nil {
		return err
	}
	out.ExecAffinity.Final, err = bitmap(field+".final", "CPU", a.Final, cpuMost)
	return err
}
