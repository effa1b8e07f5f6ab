package ociruntime_test

import (
	"context"
	"log"
	"time"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// A monitor prints the memory of a container every ten seconds, and OOM kills at once.
func ExampleContainer_Events() {
	rt, err := ociruntime.New(ociruntime.Options{Root: "/run/my-program"})
	if err != nil {
		log.Fatal(err)
	}
	c, err := rt.Load("web")
	if err != nil {
		log.Fatal(err)
	}
	if err := monitor(context.Background(), c, 10*time.Second, log.Print); err != nil {
		log.Fatal(err)
	}
}

// monitor reports events until the container stops.
func monitor(ctx context.Context, c *ociruntime.Container, interval time.Duration, report func(...any)) error {
	for event, err := range c.Events(ctx, ociruntime.EventsOptions{Interval: interval}) {
		if err != nil {
			return err
		}
		switch event.Type {
		case ociruntime.EventOOM:
			report(event.ID, ": the kernel has killed a process for lack of memory")
		case ociruntime.EventStats:
			report(event.ID, ": ", event.Data.Memory.Usage.Usage, " bytes")
		}
	}
	return nil
}
