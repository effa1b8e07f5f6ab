package specconv

import (
	"maps"
	"slices"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Limits of an offset: half the range of the kernel's 64 bits of nanoseconds
// (kernel/time/namespace.c), and a second.
const (
	maxOffsetSecs  = 1<<63/2/nanosecsPerSec - 1
	nanosecsPerSec = 1_000_000_000
)

// clocks are the clocks of a time namespace (time_namespaces(7)).
var clocks = []string{"boottime", "monotonic"}

// convertTimeOffsets checks linux.timeOffsets (config-linux.md, Offset for
// Time Namespace).
func convertTimeOffsets(offsets map[string]specs.LinuxTimeOffset, namespaces config.Namespaces) ([]config.TimeOffset, error) {
	if len(offsets) == 0 {
		return nil, nil
	}
	if namespaces.New&unix.CLONE_NEWTIME == 0 {
		return nil, fieldErr("linux.timeOffsets", `needs a new "time" namespace in linux.namespaces: the clocks of an existing one cannot change`)
	}
	var out []config.TimeOffset
	for _, clock := range slices.Sorted(maps.Keys(offsets)) {
		o, field := offsets[clock], key("linux.timeOffsets", clock)
		switch {
		case !slices.Contains(clocks, clock):
			return nil, fieldErr(field, "unknown clock%s", config.DidYouMean(clock, clocks))
		case o.Secs > maxOffsetSecs || o.Secs < -maxOffsetSecs:
			return nil, fieldErr(field+".secs", "%d: want %d to %d", o.Secs, int64(-maxOffsetSecs), int64(maxOffsetSecs))
		case o.Nanosecs >= nanosecsPerSec:
			return nil, fieldErr(field+".nanosecs", "%d: want less than a second, %d", o.Nanosecs, nanosecsPerSec)
		}
		out = append(out, config.TimeOffset{Clock: clock, Secs: o.Secs, Nanosecs: o.Nanosecs})
	}
	return out, nil
}
