package specconv

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func withRdt(rdt specs.LinuxIntelRdt) func(*specs.Spec) {
	return func(s *specs.Spec) { s.Linux.IntelRdt = &rdt }
}

func TestIntelRdt(t *testing.T) {
	for _, rdt := range []specs.LinuxIntelRdt{
		{},
		{ClosID: "/"},
		{ClosID: "gold_1.x-y", EnableMonitoring: true},
		{L3CacheSchema: "L3:0=7f0;1=1f", MemBwSchema: "MB:0=20;1=70"},
		{L3CacheSchema: "L3CODE:0=f\nL3DATA:0=f0\n"},
		{Schemata: []string{"L2:0=f;1=f", "SMBA:0=100"}},
	} {
		c, err := convertWith(withRdt(rdt))
		if err != nil || c.IntelRdt == nil {
			t.Errorf("%+v: %v", rdt, err)
		}
	}
	if c, err := convertWith(func(*specs.Spec) {}); err != nil || c.IntelRdt != nil {
		t.Errorf("without: %+v, %v", c.IntelRdt, err)
	}
}

func TestIntelRdtErrors(t *testing.T) {
	const (
		notName = `: not the name of a directory in the resctrl file system ("/" alone is the default group)`
		notLine = `: want RESOURCE:DOMAIN=VALUE;DOMAIN=VALUE... as in "L3:0=f;1=f0"`
		notL3   = `: want a line that begins with "L3:", "L3CODE:" or "L3DATA:" (others go into "schemata")`
		notMB   = `: want a line that begins with "MB:" (others go into "schemata")`
		oneLine = `: has more than one line (each is an element of "schemata")`
	)
	for _, test := range []struct {
		want string
		rdt  specs.LinuxIntelRdt
	}{
		{`closID: "../x"` + notName, specs.LinuxIntelRdt{ClosID: "../x"}},
		{`closID: ".."` + notName, specs.LinuxIntelRdt{ClosID: ".."}},
		{`closID: "/gold"` + notName, specs.LinuxIntelRdt{ClosID: "/gold"}},
		{`closID: "a\nb"` + notName, specs.LinuxIntelRdt{ClosID: "a\nb"}},
		{`closID: "info": the resctrl file system reserves this name`, specs.LinuxIntelRdt{ClosID: "info"}},
		{`l3CacheSchema: "MB:0=10"` + notL3, specs.LinuxIntelRdt{L3CacheSchema: "MB:0=10"}},
		{`l3CacheSchema: "MB:0=10"` + notL3, specs.LinuxIntelRdt{L3CacheSchema: "L3:0=f\nMB:0=10"}},
		{`l3CacheSchema: "L3:f"` + notLine, specs.LinuxIntelRdt{L3CacheSchema: "L3:f"}},
		{`memBwSchema: "L3:0=f"` + notMB, specs.LinuxIntelRdt{MemBwSchema: "L3:0=f"}},
		{`memBwSchema: "MB:0=10\nL3:0=f"` + oneLine, specs.LinuxIntelRdt{MemBwSchema: "MB:0=10\nL3:0=f"}},
		{`memBwSchema: "MB:"` + notLine, specs.LinuxIntelRdt{MemBwSchema: "MB:"}},
		{`schemata[1]: "L2:0=f\n"` + oneLine, specs.LinuxIntelRdt{Schemata: []string{"L3:0=f", "L2:0=f\n"}}},
		{`schemata[0]: ""` + notLine, specs.LinuxIntelRdt{Schemata: []string{""}}},
		{`schemata[0]: "L2"` + notLine, specs.LinuxIntelRdt{Schemata: []string{"L2"}}},
	} {
		if _, err := convertWith(withRdt(test.rdt)); err == nil || err.Error() != "linux.intelRdt."+test.want {
			t.Errorf("%v\nwant linux.intelRdt.%s", err, test.want)
		}
	}
}
