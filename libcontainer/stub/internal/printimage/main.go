// Command printimage writes the stub of the architecture it is built for to
// standard output, as an ELF executable. Packagers install that file where
// memory file descriptors cannot be executed; tests run it under an emulator.
package main

import (
	"fmt"
	"os"

	"github.com/berth-oci/berth/libcontainer/stub"
)

func main() {
	image, err := stub.Image()
	if err == nil {
		_, err = os.Stdout.Write(image)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
