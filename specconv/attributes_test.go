package specconv

import (
	"math"
	"reflect"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func withScheduler(s specs.Scheduler) func(*specs.Spec) {
	return func(spec *specs.Spec) { spec.Process.Scheduler = &s }
}

func withIOPriority(class string, level int) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Process.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPriorityClass(class), Priority: level}
	}
}

func withAffinity(initial, final string) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Process.ExecCPUAffinity = &specs.CPUAffinity{Initial: initial, Final: final} }
}

func withPersonality(domain string, flags ...specs.LinuxPersonalityFlag) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Personality = &specs.LinuxPersonality{Domain: specs.LinuxPersonalityDomain(domain), Flags: flags}
	}
}

func withMemoryPolicy(mode, nodes string, flags ...specs.MemoryPolicyFlagType) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MemoryPolicyModeType(mode), Nodes: nodes, Flags: flags}
	}
}

// TestAttributeErrors is TestConvertErrors for scheduling and memory policy.
func TestAttributeErrors(t *testing.T) {
	for _, test := range []struct {
		want   string
		change func(*specs.Spec)
	}{
		{`process.scheduler.policy: missing: want "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_IDLE" or "SCHED_DEADLINE"`, withScheduler(specs.Scheduler{})},
		{`process.scheduler.policy: unknown policy "SCHED_FFIO"; did you mean "SCHED_FIFO"?`, withScheduler(specs.Scheduler{Policy: "SCHED_FFIO"})},
		{`process.scheduler.policy: "SCHED_ISO": no Linux kernel has it`, withScheduler(specs.Scheduler{Policy: specs.SchedISO})},
		{`process.scheduler.flags[1]: unknown flag "RECLAIM": want "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY", "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN" or "SCHED_FLAG_UTIL_CLAMP_MAX"`, withScheduler(specs.Scheduler{Policy: specs.SchedOther, Flags: []specs.LinuxSchedulerFlag{specs.SchedFlagReclaim, "RECLAIM"}})},
		{`process.scheduler.nice: 20: want -20 to 19`, withScheduler(specs.Scheduler{Policy: specs.SchedOther, Nice: 20})},
		{`process.scheduler.nice: -21: want -20 to 19`, withScheduler(specs.Scheduler{Policy: specs.SchedBatch, Nice: -21})},
		{`process.scheduler.priority: 0: SCHED_FIFO wants 1 to 99`, withScheduler(specs.Scheduler{Policy: specs.SchedFIFO})},
		{`process.scheduler.priority: 100: SCHED_RR wants 1 to 99`, withScheduler(specs.Scheduler{Policy: specs.SchedRR, Priority: 100})},
		{`process.scheduler.priority: 1: only SCHED_FIFO and SCHED_RR have one; others have nice`, withScheduler(specs.Scheduler{Policy: specs.SchedIdle, Priority: 1})},
		{`process.scheduler.runtime: 1: only SCHED_DEADLINE has one`, withScheduler(specs.Scheduler{Policy: specs.SchedOther, Runtime: 1})},
		{`process.scheduler.deadline: 1: only SCHED_DEADLINE has one`, withScheduler(specs.Scheduler{Policy: specs.SchedOther, Deadline: 1})},
		{`process.scheduler.period: 1: only SCHED_DEADLINE has one`, withScheduler(specs.Scheduler{Policy: specs.SchedOther, Period: 1})},
		{`process.scheduler.runtime: 1023: want at least 1024 nanoseconds`, withScheduler(specs.Scheduler{Policy: specs.SchedDeadline, Runtime: 1023, Deadline: 2000})},
		{`process.scheduler.deadline: 1999: shorter than the runtime, 2000`, withScheduler(specs.Scheduler{Policy: specs.SchedDeadline, Runtime: 2000, Deadline: 1999})},
		{`process.scheduler.period: 2999: shorter than the deadline, 3000`, withScheduler(specs.Scheduler{Policy: specs.SchedDeadline, Runtime: 2000, Deadline: 3000, Period: 2999})},
		{`process.scheduler.period: 9223372036854775808: at most 9223372036854775807`, withScheduler(specs.Scheduler{Policy: specs.SchedDeadline, Runtime: 2000, Deadline: 3000, Period: 1 << 63})},

		{`process.ioPriority.class: missing: want "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE" or "IOPRIO_CLASS_IDLE"`, withIOPriority("", 0)},
		{`process.ioPriority.class: unknown class "IOPRIO_CLASS_IDL"; did you mean "IOPRIO_CLASS_IDLE"?`, withIOPriority("IOPRIO_CLASS_IDL", 0)},
		{`process.ioPriority.priority: 8: want 0 (first) to 7 (last)`, withIOPriority("IOPRIO_CLASS_BE", 8)},
		{`process.ioPriority.priority: -1: want 0 (first) to 7 (last)`, withIOPriority("IOPRIO_CLASS_BE", -1)},

		{`process.execCPUAffinity.initial: "0,": want CPU numbers below 8192 as in "0-3,7"`, withAffinity("0,", "")},
		{`process.execCPUAffinity.initial: "0x1": want CPU numbers below 8192 as in "0-3,7"`, withAffinity("0x1", "")},
		{`process.execCPUAffinity.final: "0-": want CPU numbers below 8192 as in "0-3,7"`, withAffinity("", "0-")},
		{`process.execCPUAffinity.final: "-1": want CPU numbers below 8192 as in "0-3,7"`, withAffinity("", "-1")},
		{`process.execCPUAffinity.final: "8192": want CPU numbers below 8192 as in "0-3,7"`, withAffinity("", "8192")},
		{`process.execCPUAffinity.final: "99999999999999999999": want CPU numbers below 8192 as in "0-3,7"`, withAffinity("", "99999999999999999999")},
		{`process.execCPUAffinity.final: "0,3-2": "3-2" runs backwards`, withAffinity("", "0,3-2")},

		{`linux.personality.domain: missing: want "LINUX" or "LINUX32"`, withPersonality("")},
		{`linux.personality.domain: unknown domain "PER_LINUX32": want "LINUX" or "LINUX32"`, withPersonality("PER_LINUX32")},
		{`linux.personality.flags[0]: unknown flag "ADDR_NO_RANDOM"; did you mean "ADDR_NO_RANDOMIZE"?`, withPersonality("LINUX", "ADDR_NO_RANDOM")},

		{`linux.memoryPolicy.mode: missing: want "MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED", "MPOL_PREFERRED_MANY" or "MPOL_LOCAL"`, withMemoryPolicy("", "0")},
		{`linux.memoryPolicy.mode: unknown mode "MPOL_BINDS"; did you mean "MPOL_BIND"?`, withMemoryPolicy("MPOL_BINDS", "0")},
		{`linux.memoryPolicy.nodes: missing: MPOL_BIND wants at least one`, withMemoryPolicy("MPOL_BIND", "")},
		{`linux.memoryPolicy.nodes: "0": MPOL_LOCAL takes none`, withMemoryPolicy("MPOL_LOCAL", "0")},
		{`linux.memoryPolicy.nodes: "0-1024": want node numbers below 1024 as in "0-3,7"`, withMemoryPolicy("MPOL_BIND", "0-1024")},
		{`linux.memoryPolicy.flags[0]: unknown flag "STATIC": want "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES" or "MPOL_F_STATIC_NODES"`, withMemoryPolicy("MPOL_BIND", "0", "STATIC")},
		{`linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other`, withMemoryPolicy("MPOL_BIND", "0", specs.MpolFStaticNodes, specs.MpolFRelativeNodes)},
	} {
		if _, err := convertWith(test.change); err == nil || err.Error() != test.want {
			t.Errorf("%v\nwant %s", err, test.want)
		}
	}
}

// TestAttributes compares with the kernel's numbers, which it repeats.
func TestAttributes(t *testing.T) {
	process := func(change func(*specs.Spec)) *config.Process {
		t.Helper()
		c, err := convertWith(change)
		if err != nil {
			t.Fatal(err)
		}
		return &c.Process
	}
	for policy, want := range map[specs.LinuxSchedulerPolicy]config.Scheduler{
		"SCHED_OTHER":    {Policy: 0, Nice: -20},
		"SCHED_FIFO":     {Policy: 1, Priority: 99, Nice: -20},
		"SCHED_RR":       {Policy: 2, Priority: 99, Nice: -20},
		"SCHED_BATCH":    {Policy: 3, Nice: -20},
		"SCHED_IDLE":     {Policy: 5, Nice: -20},
		"SCHED_DEADLINE": {Policy: 6, Nice: -20, Runtime: 1024, Deadline: 1024, Period: math.MaxInt64},
	} {
		want.Flags = 0x41
		got := process(withScheduler(specs.Scheduler{
			Policy: policy, Nice: want.Nice, Priority: int32(want.Priority), Runtime: want.Runtime, Deadline: want.Deadline, Period: want.Period,
			Flags: []specs.LinuxSchedulerFlag{"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_UTIL_CLAMP_MAX"},
		})).Scheduler
		if *got != want {
			t.Errorf("%s: %+v, want %+v", policy, *got, want)
		}
	}
	for class, want := range map[string]int{"IOPRIO_CLASS_RT": 1<<13 | 7, "IOPRIO_CLASS_BE": 2<<13 | 7, "IOPRIO_CLASS_IDLE": 3<<13 | 7} {
		if got := process(withIOPriority(class, 7)).IOPriority; *got != want {
			t.Errorf("%s: %#x, want %#x", class, *got, want)
		}
	}
	affinity := process(withAffinity("0-1,65,63-64", "8191")).ExecAffinity
	last := make([]uint64, 128)
	last[127] = 1 << 63
	if want := (config.ExecAffinity{Initial: []uint64{1<<63 | 3, 3}, Final: last}); !reflect.DeepEqual(*affinity, want) {
		t.Errorf("affinity %+v", affinity)
	}
	c, err := convertWith(withPersonality("LINUX32", "ADDR_NO_RANDOMIZE", "UNAME26"))
	if err != nil || *c.Personality != 0x60008 {
		t.Errorf("personality %#x, %v", *c.Personality, err)
	}
	c, err = convertWith(withMemoryPolicy("MPOL_WEIGHTED_INTERLEAVE", "1,3", "MPOL_F_STATIC_NODES", "MPOL_F_NUMA_BALANCING"))
	if want := (config.MemoryPolicy{Mode: 0xa006, Nodes: []uint64{10}}); err != nil || !reflect.DeepEqual(*c.MemoryPolicy, want) {
		t.Errorf("memory policy %+v, %v", c.MemoryPolicy, err)
	}
}

// TestAttributeFeatures converts the names in Features.
func TestAttributeFeatures(t *testing.T) {
	f := Features(FeaturesOptions{}).Linux.MemoryPolicy
	if len(f.Modes) != 7 || len(f.Flags) != 3 {
		t.Errorf("%+v", f)
	}
	for _, mode := range f.Modes {
		_, errNone := convertWith(withMemoryPolicy(mode, ""))
		_, errNode := convertWith(withMemoryPolicy(mode, "0"))
		if errNone != nil && errNode != nil {
			t.Errorf("%s: %v; %v", mode, errNone, errNode)
		}
	}
	for _, flag := range f.Flags {
		if _, err := convertWith(withMemoryPolicy("MPOL_BIND", "0", specs.MemoryPolicyFlagType(flag))); err != nil {
			t.Error(err)
		}
	}
}
