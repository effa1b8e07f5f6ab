package task

import (
	"context"

	"github.com/containerd/containerd/api/events"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// watchOOM reports OOM kills until the container stops.
func (s *Service) watchOOM(c *container, oci *ociruntime.Container) {
	ctx, cancel := context.WithCancel(context.Background())
	c.stopWatch = cancel
	c.watched.Go(func() {
		for e, err := range oci.Events(ctx, ociruntime.EventsOptions{}) {
			if err != nil {
				return // the container has stopped, or has no memory controller
			}
			if e.Type == ociruntime.EventOOM {
				s.events.send(&events.TaskOOM{ContainerID: c.id})
			}
		}
	})
}
