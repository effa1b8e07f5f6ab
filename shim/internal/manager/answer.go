package manager

import (
	"os"

	"github.com/containerd/containerd/v2/pkg/shim"
)

// answer returns what containerd has to know. After a restart, containerd before 2.0 reads
// the address from a file in the bundle, the current directory. containerd 1.6 sets no
// MAX_SHIM_VERSION; it reads an address, not JSON, from this program's output.
func answer(address string) (shim.BootstrapParams, error) {
	// All versions of containerd since 1.7 accept version 2 of the task service.
	params := shim.BootstrapParams{Version: 2, Protocol: "ttrpc", Address: address}
	if err := os.WriteFile("address", []byte(address), 0o600); err != nil {
		return params, err
	}
	if os.Getenv("MAX_SHIM_VERSION") != "" {
		return params, nil
	}
	if _, err := os.Stdout.WriteString(address); err != nil {
		return params, err
	}
	// Package shim would print the parameters in JSON.
	os.Exit(0) //nolint:forbidigo // see above
	return params, nil
}
