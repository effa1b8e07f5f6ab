package specconv

import (
	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// rlimitNames has the limits of getrlimit(2), sorted. Some numbers differ
// between architectures.
var rlimitNames = []struct {
	name   string
	number int
}{
	{"RLIMIT_AS", unix.RLIMIT_AS},
	{"RLIMIT_CORE", unix.RLIMIT_CORE},
	{"RLIMIT_CPU", unix.RLIMIT_CPU},
	{"RLIMIT_DATA", unix.RLIMIT_DATA},
	{"RLIMIT_FSIZE", unix.RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", unix.RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", unix.RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", unix.RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", unix.RLIMIT_NICE},
	{"RLIMIT_NOFILE", unix.RLIMIT_NOFILE},
	{"RLIMIT_NPROC", unix.RLIMIT_NPROC},
	{"RLIMIT_RSS", unix.RLIMIT_RSS},
	{"RLIMIT_RTPRIO", unix.RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", unix.RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", unix.RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", unix.RLIMIT_STACK},
}

// Rlimits returns the supported values of process.rlimits[].type, sorted.
func Rlimits() []string {
	names := make([]string, len(rlimitNames))
	for i, row := range rlimitNames {
		names[i] = row.name
	}
	return names
}

// convertRlimits checks the resource limits (config.md, POSIX process).
func convertRlimits(out *config.Process, p *specs.Process, field string) error {
	for i := range p.Rlimits {
		limit := &p.Rlimits[i]
		field := index(field+".rlimits", i)
		number, err := rlimitNumber(field+".type", limit.Type)
		if err != nil {
			return err
		}
		for _, other := range out.Rlimits {
			if other.Resource == number {
				return fieldErr(field+".type", "%q is in %s already", limit.Type, other.Field)
			}
		}
		if limit.Soft > limit.Hard {
			return fieldErr(field+".soft", "%d: above %s.hard, %d", limit.Soft, field, limit.Hard)
		}
		out.Rlimits = append(out.Rlimits, config.Rlimit{Field: field, Resource: number, Soft: limit.Soft, Hard: limit.Hard})
	}
	return nil
}

// rlimitNumber returns the RLIMIT_* number of a name.
func rlimitNumber(field, name string) (int, error) {
	if name == "" {
		return 0, missing(field, `a name like "RLIMIT_NOFILE"`)
	}
	for _, row := range rlimitNames {
		if row.name == name {
			return row.number, nil
		}
	}
	hint := config.DidYouMean(name, Rlimits())
	if hint == "" {
		hint = " (see getrlimit(2))"
	}
	return 0, fieldErr(field, "unknown rlimit %s%s", config.Quote(name), hint)
}
