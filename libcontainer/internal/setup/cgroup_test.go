package setup

import (
	"context"
	"maps"
	"testing"

	"github.com/berth-oci/berth/libcontainer/cgroups/manager"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// A unit that is refused leaves no manager that is not nil, and memory is not
// asked of it.
func TestRefusedUnit(t *testing.T) {
	cfg := &config.Config{SystemdCgroup: true, CgroupsPath: "not:a:slice:at:all"}
	r := newRun(steps[:], job{op: inCreate, ctx: context.Background(), id: "c", dir: t.TempDir(), cfg: cfg}, values{state: &state.State{}})
	err := planCgroup(r)
	if err == nil || r.cgroup != nil {
		t.Fatalf("error %v, manager %v", err, r.cgroup)
	}
	if err := r.explainOOM(&StepError{Step: "plan cgroup", Err: err}); err == nil {
		t.Error("no error")
	}
}

// A cgroup mount shows the runtime's cgroups of the controllers that a container lacks.
func TestShownCgroups(t *testing.T) {
	own, err := manager.Own("")
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(own)
	want["made"] = "/sys/fs/cgroup/made/c"
	made := state.State{Cgroups: map[string]string{"made": want["made"]}}
	got, err := (&run{values: values{state: &made, planned: want}}).shownCgroups()
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}
