package specconv

import (
	"reflect"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func ownProcess() *config.Process {
	score, priority := 100, 3
	return &config.Process{
		UID: 1, GID: 2, AdditionalGIDs: []uint32{3}, Umask: 0o27, Args: []string{"init"}, Env: []string{"A=b"}, Cwd: "/tmp",
		Capabilities: config.Capabilities{Bounding: 1 << 21, Permitted: 1 << 21, Effective: 1 << 21}, NoNewPrivileges: true,
		Rlimits: []config.Rlimit{{Field: "process.rlimits[0]", Resource: 7, Soft: 1, Hard: 2}}, OOMScoreAdj: &score,
		Scheduler: &config.Scheduler{Nice: 3}, IOPriority: &priority, ExecAffinity: &config.ExecAffinity{Final: []uint64{1}},
		AppArmorProfile: "profile", SELinuxLabel: "label", Warnings: []string{"logged already"},
	}
}

// TestProcessLikeComesBack converts to the specification's type and back.
func TestProcessLikeComesBack(t *testing.T) {
	own := ownProcess()
	got, err := ConvertExec(ProcessLike(own, []string{"sh"}), own)
	if err != nil {
		t.Fatal(err)
	}
	own.Args, own.Warnings = []string{"sh"}, nil
	if !reflect.DeepEqual(got, own) {
		t.Errorf("got  %+v\nwant %+v", got, own)
	}
}

func TestConvertExecTakesWhatIsSaid(t *testing.T) {
	own, umask, score := ownProcess(), uint32(0), 0
	got, err := ConvertExec(&specs.Process{
		Args: []string{"sh"}, Cwd: "/", User: specs.User{Umask: &umask}, OOMScoreAdj: &score,
		Capabilities: &specs.LinuxCapabilities{}, Rlimits: []specs.POSIXRlimit{}, ExecCPUAffinity: &specs.CPUAffinity{},
		Scheduler: &specs.Scheduler{Policy: specs.SchedBatch}, IOPriority: &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_IDLE},
	}, own)
	if err != nil {
		t.Fatal(err)
	}
	if got.UID != 0 || got.Umask != 0 || *got.OOMScoreAdj != 0 || got.NoNewPrivileges || got.Capabilities != (config.Capabilities{}) ||
		len(got.Rlimits) != 0 || got.Scheduler.Nice != 0 || got.ExecAffinity != nil && len(got.ExecAffinity.Final) != 0 || len(got.AdditionalGIDs)+len(got.Env) != 0 {
		t.Errorf("got %+v", got)
	}
}
