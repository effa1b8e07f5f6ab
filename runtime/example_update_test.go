package ociruntime_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// A vertical autoscaler changes the limits of a running container.
func ExampleContainer_Update() {
	rt, err := ociruntime.New(ociruntime.Options{Root: "/run/my-program"})
	if err != nil {
		log.Fatal(err)
	}
	c, err := rt.Load("web")
	if err != nil {
		log.Fatal(err)
	}
	if err := resize(context.Background(), c, 256<<20, 0.5); err != nil {
		log.Print(err)
	}
}

// resize sets the limits of memory, in bytes, and of CPU time, in CPUs. If the kernel
// refuses one of them, both remain as they were.
func resize(ctx context.Context, c *ociruntime.Container, memory int64, cpus float64) error {
	period := uint64(100_000) // microseconds
	quota := int64(cpus * float64(period))
	err := c.Update(ctx, ociruntime.UpdateOptions{Resources: &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &memory},
		CPU:    &specs.LinuxCPU{Period: &period, Quota: &quota},
	}})
	var known *libcontainer.Error
	switch {
	case errors.Is(err, libcontainer.ErrNotRunning):
		return nil // it has ended meanwhile
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("it needs more than that: %w", err)
	case errors.As(err, &known) && known.Field != "":
		return fmt.Errorf("the host does not accept %s: %w", known.Field, err)
	}
	return err
}
