// Command output writes cmd/runtime/codec.go: the functions that write the types that
// berth prints. With -check it only reports whether the file is up to date. It is not a
// part of command codec, which must compile before the types of package runtime do.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/berth-oci/berth/internal/gen/jsoncode"
	ociruntime "github.com/berth-oci/berth/runtime"
)

var file = jsoncode.File{
	Path:    "cmd/runtime/codec.go",
	Package: "github.com/berth-oci/berth/cmd/runtime",
	Name:    "main",
	Roots: []jsoncode.Root{
		jsoncode.For[ociruntime.State]("State").Writer(1 << 10),
		jsoncode.For[[]*ociruntime.State]("States").Writer(1 << 10),
	},
}

func main() {
	check := flag.Bool("check", false, "only compare")
	flag.Parse()
	if err := file.Check(!*check); err != nil {
		fmt.Fprintln(os.Stderr, "output:", err)
		os.Exit(1)
	}
}
