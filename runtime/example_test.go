package ociruntime_test

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
	"github.com/berth-oci/berth/specconv"
)

// A whole container's life, in any Go program: nothing is to be called at its
// start, no other binary is needed, and no config.json.
func Example() {
	status, err := greet(context.Background(), "/run/my-program", "/srv/images/hello", os.Stdout)
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println("exit code", status.Code)
}

// greet runs the program hello of an image and waits for it.
func greet(ctx context.Context, stateRoot, rootfs string, out io.Writer) (libcontainer.ExitStatus, error) {
	rt, err := ociruntime.New(ociruntime.Options{Root: stateRoot})
	if err != nil {
		return libcontainer.ExitStatus{}, err
	}
	spec := specconv.Default(specconv.DefaultOptions{})
	spec.Root.Path = rootfs
	spec.Hostname = "example"
	spec.Process.Terminal = false
	spec.Process.Args = []string{"/hello", "greet"}

	c, err := rt.Create(ctx, "example", ociruntime.CreateOptions{Spec: spec, Stdout: out})
	if err != nil {
		return libcontainer.ExitStatus{}, err
	}
	defer c.Delete(ctx, ociruntime.DeleteOptions{Force: true}) //nolint:errcheck // nothing more can be done
	if err := c.Start(ctx); err != nil {
		return libcontainer.ExitStatus{}, err
	}
	return c.Wait(ctx)
}
