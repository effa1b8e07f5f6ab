// Command codec writes internal/codec/types.go: the functions that read and write the
// types of the specification and of package config. With -check it only reports whether
// the file is up to date.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/gen/jsoncode"
	"github.com/berth-oci/berth/libcontainer/config"
)

var file = jsoncode.File{
	Path:    "internal/codec/types.go",
	Package: "github.com/berth-oci/berth/internal/codec",
	Roots: []jsoncode.Root{
		jsoncode.For[specs.Spec]("Spec").Reader(),
		jsoncode.For[specs.Process]("Process").Reader(),
		jsoncode.For[specs.LinuxResources]("Resources").Reader(),
		jsoncode.For[[]specs.Mount]("Mounts").Reader(),
		jsoncode.For[config.Config]("Config").Reader().Writer(6 << 10),
		jsoncode.For[specs.State]("State").Writer(1 << 10),
		jsoncode.For[specs.ContainerProcessState]("ProcessState").Writer(1 << 10),
	},
}

func main() {
	check := flag.Bool("check", false, "only compare")
	flag.Parse()
	if err := file.Check(!*check); err != nil {
		fmt.Fprintln(os.Stderr, "codec:", err)
		os.Exit(1)
	}
}
