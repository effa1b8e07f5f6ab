package setup

import (
	"context"
	"log/slog"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/namespaces"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// job is what all steps of an operation share. No step changes it.
type job struct {
	op  operation
	ctx context.Context
	id  string
	dir string // the container's state directory
	// cfg is the container's configuration, with the process or the mounts of
	// this operation.
	cfg *config.Config
	log *slog.Logger // may be nil
	IO

	// Of create.
	detach   bool   // any process may start the container
	rootless bool   // cgroups that cannot be made are left out
	resctrl  string // where resctrl is mounted; empty: it is looked for

	// Of start: the stub that this process still drives; nil if there is none.
	attached *stub.Child

	// Of what joins a container.
	cgroups   map[string]string // the directories to enter, by controller
	anyCgroup bool              // init's cgroup will do where those take no processes
	bytecode  []byte            // the seccomp filter, if this process has compiled it

	// Of the removal of mounts that were added: their IDs, instead of destinations.
	added []string

	// Of a hook in the container.
	hook *specs.Hook
	init *stub.Proc // the container's init, which is still a stub

	// What newRun finds out.
	plan  namespaces.Plan
	root  bool // the runtime is root, if only in a user namespace
	kcore bool // the kernel has a /proc/kcore to mask
}

// newRun returns a walk of a job down the table, with the values that the
// operation is given. It is the one place where a job is completed.
func newRun(table []step, j job, given values) *run {
	j.plan = namespaces.PlanFor(j.cfg.Namespaces)
	j.root = os.Geteuid() == 0
	if j.op == inCreate {
		_, err := os.Lstat("/proc/kcore")
		j.kcore = err == nil
	}
	return &run{job: &j, values: given, table: table}
}

// affinity returns process.execCPUAffinity where it applies (config.md, Linux
// Process): not to the container's own process.
func (j *job) affinity() *config.ExecAffinity {
	if j.op != inExec {
		return nil
	}
	return j.cfg.Process.ExecAffinity
}
