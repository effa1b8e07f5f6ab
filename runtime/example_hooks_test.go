package ociruntime_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// Hooks that are functions of the program connect a container to a network before its
// program runs, and disconnect it when it is deleted.
func ExampleCreateOptions_hooks() {
	rt, err := ociruntime.New(ociruntime.Options{Root: "/run/my-program"})
	if err != nil {
		log.Fatal(err)
	}
	network := func(netns string) error { fmt.Println("connect", netns); return nil }
	cleanup := func(id string) error { fmt.Println("disconnect", id); return nil }
	o := ociruntime.CreateOptions{Bundle: "/srv/bundles/web", Stdout: os.Stdout, Hooks: networkHooks(network, cleanup)}
	if _, err := rt.Run(context.Background(), "web", o); err != nil {
		log.Fatal(err)
	}
}

// networkHooks returns hooks that connect and disconnect a network. If connect fails, so
// does Create, and the container is gone. An error of disconnect is logged only.
func networkHooks(connect, disconnect func(string) error) map[config.HookKind][]config.HookFunction {
	return map[config.HookKind][]config.HookFunction{
		// The namespaces exist, and the root file system is not changed yet.
		config.CreateRuntime: {func(_ context.Context, s specs.State) error {
			return connect(fmt.Sprintf("/proc/%d/ns/net", s.Pid))
		}},
		config.Poststop: {func(_ context.Context, s specs.State) error { return disconnect(s.ID) }},
	}
}
