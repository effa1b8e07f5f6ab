package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/specconv"
)

func (a *app) updateCommand() command {
	flags := []flag{
		{name: "resources", short: "r", usage: "read a linux.resources object from `FILE`, or - for standard input, instead of the other flags"},
	}
	for _, f := range limitFlags() {
		flags = append(flags, flag{name: f.name, usage: f.usage})
	}
	for _, name := range []string{"kernel-memory", "kernel-memory-tcp"} {
		flags = append(flags, flag{name: name, hidden: true, usage: "ignored: kernels have no such limit any more"})
	}
	flags = append(
		flags,
		flag{name: "l3-cache-schema", usage: "write `LINE`, such as L3:0=f;1=f0, to the schemata of the container's resctrl group"},
		flag{name: "mem-bw-schema", usage: "write `LINE`, such as MB:0=50, to the schemata of the container's resctrl group"},
	)
	return command{
		usage: "change the limits of a container; others stay as they are",
		args:  "ID",
		flags: flags,
		run: func(ctx context.Context, l *line) error {
			if err := exactArgs(l, 1); err != nil {
				return err
			}
			resources, err := a.resources(l)
			if err != nil {
				return err
			}
			c, err := a.container(l)
			if err != nil {
				return err
			}
			return c.Update(ctx, ociruntime.UpdateOptions{
				Resources:     resources,
				L3CacheSchema: l.text("l3-cache-schema"), MemBwSchema: l.text("mem-bw-schema"),
			})
		},
	}
}

// resources converts the flags.
func (a *app) resources(l *line) (*specs.LinuxResources, error) {
	if l.isSet("kernel-memory") || l.isSet("kernel-memory-tcp") {
		a.log.Warn("Kernel memory settings are ignored and will be removed")
	}
	if l.isSet("resources") {
		for _, f := range limitFlags() {
			if l.isSet(f.name) {
				return nil, fmt.Errorf("--%s: cannot be combined with --resources, which has all limits", f.name)
			}
		}
		return readResources(l.text("resources"))
	}
	r := &specs.LinuxResources{Memory: new(specs.LinuxMemory), CPU: new(specs.LinuxCPU), Pids: new(specs.LinuxPids), BlockIO: new(specs.LinuxBlockIO)}
	for _, f := range limitFlags() {
		if !l.isSet(f.name) {
			continue
		}
		if err := f.set(r, l.text(f.name)); err != nil {
			return nil, fmt.Errorf("--%s: %w", f.name, err)
		}
	}
	return r, nil
}

func readResources(path string) (r *specs.LinuxResources, err error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("--resources: %w", err)
		}
		defer f.Close()
		in = f
	} else {
		path = "standard input"
	}
	if r, err = specconv.LoadResources(in); err != nil {
		return nil, fmt.Errorf("--resources: %s: %w", path, err)
	}
	return r, nil
}

// limitFlag is the flag for a field of linux.resources.
type limitFlag struct {
	name, usage string
	set         func(r *specs.LinuxResources, value string) error
}

func limitFlags() []limitFlag {
	type res = specs.LinuxResources
	return []limitFlag{
		{"blkio-weight", "set the `WEIGHT` of input and output, 10 to 1000", func(r *res, v string) error { return parseNumber(v, &r.BlockIO.Weight) }},
		{"cpu-period", "apply the quota every `MICROSECONDS`", func(r *res, v string) error { return parseNumber(v, &r.CPU.Period) }},
		{"cpu-quota", "limit CPU time in a period to `MICROSECONDS`; -1: no limit", func(r *res, v string) error { return parseNumber(v, &r.CPU.Quota) }},
		{"cpu-burst", "let up to `MICROSECONDS` be saved up for a burst", func(r *res, v string) error { return parseNumber(v, &r.CPU.Burst) }},
		{"cpu-share", "set the `SHARES` of CPU time, 2 to 262144", func(r *res, v string) error { return parseNumber(v, &r.CPU.Shares) }},
		{"cpu-rt-period", "apply the real-time quota every `MICROSECONDS` (cgroup v1)", func(r *res, v string) error { return parseNumber(v, &r.CPU.RealtimePeriod) }},
		{"cpu-rt-runtime", "limit real-time CPU time in a period to `MICROSECONDS` (cgroup v1)", func(r *res, v string) error { return parseNumber(v, &r.CPU.RealtimeRuntime) }},
		{"cpu-idle", "run only on an idle CPU if `VALUE` is 1, not so if it is 0", func(r *res, v string) error { return parseNumber(v, &r.CPU.Idle) }},
		{"cpuset-cpus", "run on the CPUs in `LIST`, such as 0-3,7", func(r *res, v string) error { r.CPU.Cpus = v; return nil }},
		{"cpuset-mems", "use the memory nodes in `LIST`, such as 0-1", func(r *res, v string) error { r.CPU.Mems = v; return nil }},
		{"memory", "limit memory to `SIZE`, in bytes or such as 100M or 1.5GiB; -1: no limit", func(r *res, v string) error { return parseSize(v, &r.Memory.Limit) }},
		{"memory-reservation", "keep `SIZE` of memory under pressure", func(r *res, v string) error { return parseSize(v, &r.Memory.Reservation) }},
		{"memory-swap", "limit memory and swap together to `SIZE`; -1: no limit", func(r *res, v string) error { return parseSize(v, &r.Memory.Swap) }},
		{"pids-limit", "limit processes and threads to `NUMBER`; -1: no limit", func(r *res, v string) error { return parseNumber(v, &r.Pids.Limit) }},
	}
}
