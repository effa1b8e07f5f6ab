package setup

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/namespaces"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/checkpoint"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// job is the input of an operation. No step changes it.
type job struct {
	op  operation
	ctx context.Context
	id  string
	dir string // the container's state directory
	// cfg is the container's configuration, with the process or the mounts of
	// this operation.
	cfg *config.Config
	log *slog.Logger // may be nil
	// resctrl is the mount point of resctrl, of any type; empty: search for it.
	resctrl string
	IO

	// Of create.
	detach   bool // any process may start the container
	rootless bool // skip cgroups that cannot be made

	// Of start: the stub, if this process still drives it.
	attached *stub.Child

	// Of operations that join a container.
	cgroups   map[string]string // the directories to enter, by controller
	anyCgroup bool              // fall back to init's cgroup if those accept no processes
	mayBlock  bool              // the container may block this process
	bytecode  []byte            // the seccomp filter, if this process compiled it

	// Of undoing "mounts add": the IDs of the mounts, used instead of destinations.
	added []string

	// Of restore.
	criu   string              // the path of CRIU
	images *checkpoint.Session // the image, and options for CRIU

	// Of a hook in the container.
	hook *specs.Hook
	init *stub.Proc // the container's init, which is still a stub

	// Set by newRun.
	plan  namespaces.Plan
	root  bool // the runtime is root, if only in a user namespace
	kcore bool // /proc/kcore exists and must be masked
}

// newRun completes a job and returns a run of it, with the values that the operation
// is given.
func newRun(table []step, j job, given values) *run {
	j.plan = namespaces.PlanFor(j.cfg.Namespaces)
	j.root = os.Geteuid() == 0
	if j.op == inCreate {
		_, err := os.Lstat("/proc/kcore")
		j.kcore = !errors.Is(err, fs.ErrNotExist)
	}
	return &run{job: &j, values: given, table: table}
}

// affinity returns process.execCPUAffinity, which applies to exec only (config.md,
// Linux Process).
func (j *job) affinity() *config.ExecAffinity {
	if j.op != inExec {
		return nil
	}
	return j.cfg.Process.ExecAffinity
}
