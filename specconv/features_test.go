package specconv

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/opencontainers/runtime-spec/specs-go/features"
)

func TestFeaturesGolden(t *testing.T) {
	f := Features(FeaturesOptions{
		Cgroup:      &features.Cgroup{V1: ptr(true), V2: ptr(true)},
		Annotations: map[string]string{"org.example.version": "1"},
	})
	golden(t, "features.json", f)
	if f.OCIVersionMax != specs.Version || checkVersion(f.OCIVersionMin) != nil || checkVersion(f.OCIVersionMax) != nil {
		t.Errorf("versions %q to %q", f.OCIVersionMin, f.OCIVersionMax)
	}
}

// TestFeaturesConvert converts the names in Features.
func TestFeaturesConvert(t *testing.T) {
	f := Features(FeaturesOptions{})
	for _, option := range f.MountOptions {
		if _, err := convertOne(optionExample(*lookupOption(option))); err != nil {
			t.Error(err)
		}
	}
	for _, ns := range f.Linux.Namespaces {
		if ns == "mount" { // withNamespace makes one anyway
			continue
		}
		for _, path := range []string{"", "/proc/1/ns/x"} {
			change := withNamespace(ns, path)
			if ns == "user" && path == "" {
				change = withUser(ids(0, 0, 1), ids(0, 0, 1))
			}
			if _, err := convertWith(change); err != nil {
				t.Error(err)
			}
		}
	}
	for _, name := range f.Linux.Capabilities {
		c, err := convertWith(func(s *specs.Spec) { s.Process.Capabilities.Bounding = []string{name} })
		if err != nil || len(c.Process.Warnings) > 0 {
			t.Errorf("%s: %v, %q", name, err, c.Process.Warnings)
		}
	}
	for _, name := range Rlimits() {
		if _, err := convertWith(withRlimits(specs.POSIXRlimit{Type: name, Soft: 1, Hard: 2})); err != nil {
			t.Error(err)
		}
	}
}
