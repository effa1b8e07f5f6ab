package ociruntime_test

import (
	"context"
	"errors"
	"log"
	"os"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// A supervisor that can be restarted, and killed, while its container runs: the next one
// re-attaches. The log is a file, so that no output depends on the supervisor.
func ExampleRuntime_Load() {
	rt, err := ociruntime.New(ociruntime.Options{Root: "/run/my-supervisor"})
	if err != nil {
		log.Fatal(err)
	}
	output, err := os.OpenFile("/var/log/web.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	status, err := supervise(context.Background(), rt, "web", ociruntime.CreateOptions{
		Bundle: "/srv/bundles/web", Stdout: output, Stderr: output,
	})
	log.Print(status, err)
}

// supervise runs a container, or attaches to the one that an earlier call has run, and
// deletes it when it has ended. If ctx ends, the container continues.
func supervise(ctx context.Context, rt *ociruntime.Runtime, id string, o ociruntime.CreateOptions) (libcontainer.ExitStatus, error) {
	c, err := attach(ctx, rt, id)
	if errors.Is(err, libcontainer.ErrNotExist) {
		c, err = rt.Run(ctx, id, o)
	}
	if err != nil {
		return libcontainer.ExitStatus{}, err
	}
	status, err := c.Wait(ctx)
	if err != nil && ctx.Err() != nil {
		return status, err
	}
	// Before Linux 6.15 only the parent learns the exit status (ErrNotChild): prctl(2)
	// PR_SET_CHILD_SUBREAPER in a process above makes that process the next parent.
	return status, errors.Join(err, c.Delete(ctx, ociruntime.DeleteOptions{Force: true}))
}

// attach returns a container that runs. It deletes one that does not: a supervisor was
// killed before it started the container, or the container has ended meanwhile.
func attach(ctx context.Context, rt *ociruntime.Runtime, id string) (*ociruntime.Container, error) {
	c, err := rt.Load(id)
	if errors.Is(err, libcontainer.ErrNotExist) {
		// A killed create leaves a directory without state.
		return nil, errors.Join(err, rt.Delete(ctx, id, ociruntime.DeleteOptions{Force: true}))
	}
	if err != nil {
		return nil, err
	}
	switch status, err := c.Status(); {
	case err != nil:
		return nil, err
	case status == libcontainer.Running || status == libcontainer.Paused:
		return c, nil
	}
	if err := c.Delete(ctx, ociruntime.DeleteOptions{Force: true}); err != nil {
		return nil, err
	}
	return nil, libcontainer.ErrNotExist
}
