package seccomp

import (
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// SupportedFlags returns the known flags that the running kernel accepts.
func SupportedFlags() (names []string) {
	for _, f := range flags {
		value := f.value
		if f.name == specs.LinuxSeccompFlagWaitKillableRecv { // which needs a listener (Linux 5.19)
			value |= unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
		}
		if sys.TakesSeccompFlag(value) {
			names = append(names, string(f.name))
		}
	}
	return names
}
