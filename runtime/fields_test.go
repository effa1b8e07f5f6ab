package ociruntime_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// inField checks that an error is about a field, and that its text names the field.
func inField(t *testing.T, err error, field string) {
	t.Helper()
	var e *libcontainer.Error
	if !errors.As(err, &e) || e.Field != field || !errors.Is(err, libcontainer.ErrInvalidSpec) || !strings.Contains(err.Error(), field) {
		t.Errorf("field %s: %v", field, err)
		if e != nil {
			t.Errorf("its field is %q", e.Field)
		}
	}
}

func TestFieldsOfResources(t *testing.T) {
	weight, shares, limit := uint16(5), uint64(1), int64(4<<20)
	for field, r := range map[string]*specs.LinuxResources{
		"linux.resources.blockIO.weight":             {BlockIO: &specs.LinuxBlockIO{Weight: &weight}},
		"linux.resources.cpu.shares":                 {CPU: &specs.LinuxCPU{Shares: &shares}},
		"linux.resources.cpu.cpus":                   {CPU: &specs.LinuxCPU{Cpus: "100000"}},
		"linux.resources.memory.swap":                {Memory: &specs.LinuxMemory{Limit: &limit, Swap: new(int64(2 << 20))}},
		"linux.resources.hugepageLimits[0].pageSize": {HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "big"}}},
	} {
		rt, spec := setup(t, "sleep")
		c, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
		if err != nil {
			t.Fatal(err)
		}
		inField(t, c.Update(t.Context(), ociruntime.UpdateOptions{Resources: r}), field)
		remove(t, c)
		r.Devices, spec.Linux.Resources = spec.Linux.Resources.Devices, r
		_, err = rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
		inField(t, err, field)
	}
}

func TestFieldsOfMounts(t *testing.T) {
	rt, spec := setup(t, "sleep")
	at := len(spec.Mounts)
	field := "mounts[" + string(rune('0'+at)) + "]"
	spec.Mounts = append(spec.Mounts, specs.Mount{})
	for _, m := range []specs.Mount{
		{Destination: "/x", Source: filepath.Join(t.TempDir(), "missing"), Options: []string{"bind"}},
		{Destination: "/x", Type: "no-file-system"},
		{Destination: "/x", Type: "tmpfs", Options: []string{"no-option"}},
		{Destination: "/hello/below-a-file", Type: "tmpfs"},
	} {
		spec.Mounts[at] = m
		_, err := rt.Create(t.Context(), name(t), ociruntime.CreateOptions{Spec: spec})
		inField(t, err, field)
	}
	spec.Mounts[at] = specs.Mount{Destination: "/x", Type: "tmpfs"}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := rt.Create(ctx, name(t), ociruntime.CreateOptions{Spec: spec})
	if errors.Is(err, libcontainer.ErrInvalidSpec) || errors.Is(err, unix.EINVAL) {
		t.Errorf("canceled: %v", err)
	}
}
