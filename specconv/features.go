package specconv

import (
	"maps"

	"github.com/berth-oci/berth/libcontainer/capabilities"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

// FeaturesOptions has facts for Features that are not in this package's tables.
type FeaturesOptions struct {
	// Cgroup has the cgroup drivers that are built in; nil leaves them out.
	Cgroup *features.Cgroup
	// SeccompFlags are the known flags that the kernel accepts; nil leaves them
	// out.
	SeccompFlags []string
	// Annotations describe the runtime, e.g. its version.
	Annotations map[string]string
}

// Features describes the support of berth (features.md), from the tables that
// Convert uses: it names nothing that Convert refuses.
func Features(o FeaturesOptions) *features.Features {
	return &features.Features{
		OCIVersionMin: "1.0.0",
		OCIVersionMax: specs.Version,
		Hooks:         hookNames(),
		MountOptions:  MountOptions(),
		Linux:         linuxFeatures(o),
		Annotations:   maps.Clone(o.Annotations),

		PotentiallyUnsafeConfigAnnotations: config.Annotations(),
	}
}

// hookNames returns the kinds of hooks in the order in which they run.
func hookNames() []string {
	names := make([]string, len(config.HookKinds))
	for i, kind := range config.HookKinds {
		names[i] = string(kind)
	}
	return names
}

// linuxFeatures fills the section linux.
func linuxFeatures(o FeaturesOptions) *features.Linux {
	return &features.Linux{
		Namespaces:   Namespaces(),
		Capabilities: capabilities.Names(),
		Cgroup:       o.Cgroup,
		Seccomp: &features.Seccomp{
			Enabled: yes(true), Actions: seccomp.Actions(), Operators: seccomp.Operators(),
			Archs: seccomp.Archs(), KnownFlags: seccomp.KnownFlags(), SupportedFlags: o.SeccompFlags,
		},
		Apparmor:     &features.Apparmor{Enabled: yes(true)},
		Selinux:      &features.Selinux{Enabled: yes(true)},
		IntelRdt:     &features.IntelRdt{Enabled: yes(true), Schemata: yes(true), Monitoring: yes(true)},
		MemoryPolicy: &features.MemoryPolicy{Modes: names(memoryModes), Flags: names(memoryFlags)},
		MountExtensions: &features.MountExtensions{
			IDMap: &features.IDMap{Enabled: yes(lookupOption("idmap") != nil)},
		},
		NetDevices: &features.NetDevices{Enabled: yes(true)},
	}
}

func yes(b bool) *bool { return &b }
