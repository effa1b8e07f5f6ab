// Command containerd-shim-berth-v2 is containerd's shim for the runtime type
// io.containerd.berth.v2: it makes containers by calls of package runtime, and starts no
// runtime binary.
package main

import (
	"context"

	"github.com/containerd/containerd/v2/pkg/shim"
	shimversion "github.com/containerd/containerd/v2/version"

	"github.com/berth-oci/berth/shim/internal/manager"
	"github.com/berth-oci/berth/shim/internal/task"
)

// version and commit are set by hack/build.
var (
	version = "0.0.0-dev"
	commit  = ""
)

func main() {
	task.Register()
	shimversion.Version, shimversion.Revision = version, commit // -v prints these
	shim.Run(context.Background(), manager.New(version, commit), func(c *shim.Config) {
		// Package runtime waits for its own children; package children reaps the others.
		c.NoReaper = true
	})
}
