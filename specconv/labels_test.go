package specconv

import (
	"slices"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestMountLabel(t *testing.T) {
	spec := Default(DefaultOptions{})
	spec.Linux.MountLabel = "system_u:object_r:container_file_t:s0:c1,c2"
	spec.Mounts = append(spec.Mounts,
		specs.Mount{Destination: "/b", Source: "/b", Options: []string{"bind"}},
		specs.Mount{Destination: "/own", Type: "tmpfs", Options: []string{`context="x:y:z:s0"`}},
		specs.Mount{Destination: "/dev", Type: "tmpfs", Options: []string{"remount", "ro"}})
	for name, annotation := range map[string]map[string]string{
		"context":     nil,
		"rootcontext": {"run.oci.mount_context_type": "rootcontext"},
	} {
		spec.Annotations = annotation
		out, err := Convert(spec, Options{Bundle: "/bundle"})
		if err != nil {
			t.Fatal(err)
		}
		option := name + `="system_u:object_r:container_file_t:s0:c1,c2"`
		labelled := map[string]bool{}
		for i := range out.Mounts {
			m := &out.Mounts[i]
			if slices.Contains(m.Data, option) {
				labelled[m.Destination] = true
			}
			if (m.Label != "") != (m.Type == "mqueue") {
				t.Errorf("%s: label %q", m.Destination, m.Label)
			}
		}
		if len(labelled) != 3 || !labelled["/dev"] || !labelled["/dev/pts"] || !labelled["/dev/shm"] {
			t.Errorf("%s on %v, want it on /dev, /dev/pts and /dev/shm", option, labelled)
		}
	}
}
