//go:build !libseccomp

package seccomp

import unix "github.com/berth-oci/berth/internal/abi"

// assemble returns the program for a profile.
func assemble(p *profile) ([]unix.SockFilter, error) { return build(p), nil }
