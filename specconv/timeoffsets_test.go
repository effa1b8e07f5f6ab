package specconv

import (
	"reflect"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func withOffsets(offsets map[string]specs.LinuxTimeOffset) func(*specs.Spec) {
	return func(s *specs.Spec) {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.TimeNamespace})
		s.Linux.TimeOffsets = offsets
	}
}

func TestTimeOffsetErrors(t *testing.T) {
	offset := func(clock string, secs int64, nanosecs uint32) func(*specs.Spec) {
		return withOffsets(map[string]specs.LinuxTimeOffset{clock: {Secs: secs, Nanosecs: nanosecs}})
	}
	cases := []struct {
		want   string
		change func(*specs.Spec)
	}{
		{
			`linux.timeOffsets: needs a new "time" namespace in linux.namespaces: the clocks of an existing one cannot change`,
			func(s *specs.Spec) { s.Linux.TimeOffsets = map[string]specs.LinuxTimeOffset{"monotonic": {}} },
		},
		{
			`linux.timeOffsets: needs a new "time" namespace in linux.namespaces: the clocks of an existing one cannot change`,
			joinUser(offset("monotonic", 1, 0)),
		},
		{`linux.timeOffsets.real: unknown clock: want "boottime" or "monotonic"`, offset("real", 1, 0)},
		{`linux.timeOffsets.monotonik: unknown clock; did you mean "monotonic"?`, offset("monotonik", 1, 0)},
		{`linux.timeOffsets.boottime.secs: 4611686018: want -4611686017 to 4611686017`, offset("boottime", 4611686018, 0)},
		{`linux.timeOffsets.boottime.secs: -4611686018: want -4611686017 to 4611686017`, offset("boottime", -4611686018, 0)},
		{`linux.timeOffsets.boottime.nanosecs: 1000000000: want less than a second, 1000000000`, offset("boottime", 0, 1000000000)},
	}
	for _, c := range cases {
		if _, err := convertWith(c.change); err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
}

func TestTimeOffsets(t *testing.T) {
	c, err := convertWith(withOffsets(map[string]specs.LinuxTimeOffset{"monotonic": {Secs: -1, Nanosecs: 2}, "boottime": {Secs: 3}}))
	want := []config.TimeOffset{{Clock: "boottime", Secs: 3}, {Clock: "monotonic", Secs: -1, Nanosecs: 2}}
	if err != nil || !reflect.DeepEqual(c.TimeOffsets, want) {
		t.Errorf("%v, %v", c, err)
	}
}
