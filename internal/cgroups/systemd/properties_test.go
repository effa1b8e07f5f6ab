package systemd

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/cgroups/fs2"
)

func text(props []property) []string {
	var list []string
	for _, p := range props {
		list = append(list, p.name+"="+p.value.String())
	}
	return list
}

func TestFromResources(t *testing.T) {
	cpu := func(c specs.LinuxCPU) specs.LinuxResources { return specs.LinuxResources{CPU: &c} }
	mem := func(m specs.LinuxMemory) specs.LinuxResources { return specs.LinuxResources{Memory: &m} }
	unified := func(kv ...string) specs.LinuxResources {
		return specs.LinuxResources{Unified: map[string]string{kv[0]: kv[1]}}
	}
	for _, test := range []struct {
		r    specs.LinuxResources
		want []string
	}{
		{specs.LinuxResources{}, nil},
		{mem(specs.LinuxMemory{Limit: ptr(int64(-1))}), []string{"MemorySwapMax=@t 18446744073709551615", "MemoryMax=@t 18446744073709551615"}},
		{mem(specs.LinuxMemory{Limit: ptr(int64(5)), Reservation: ptr(int64(4))}), []string{"MemoryMax=@t 5", "MemoryLow=@t 4"}},
		{cpu(specs.LinuxCPU{Shares: ptr(uint64(1024))}), []string{"CPUWeight=@t 100"}},
		{cpu(specs.LinuxCPU{Shares: ptr(uint64(1024)), Idle: ptr(int64(1))}), []string{"CPUWeight=@t 0"}},
		{cpu(specs.LinuxCPU{Idle: ptr(int64(0))}), nil},
		{cpu(specs.LinuxCPU{Quota: ptr(int64(50000))}), []string{"CPUQuotaPerSecUSec=@t 500000", "CPUQuotaPeriodUSec=@t 100000"}},
		{cpu(specs.LinuxCPU{Quota: ptr(int64(12345)), Period: ptr(uint64(100000))}), []string{"CPUQuotaPerSecUSec=@t 123500", "CPUQuotaPeriodUSec=@t 100000"}},
		{cpu(specs.LinuxCPU{Quota: ptr(int64(-1)), Period: ptr(uint64(50000))}), []string{"CPUQuotaPerSecUSec=@t 18446744073709551615", "CPUQuotaPeriodUSec=@t 50000"}},
		{cpu(specs.LinuxCPU{Cpus: "0-2,9", Mems: "1"}), []string{`AllowedCPUs=@ay [0x7, 0x2]`, `AllowedMemoryNodes=@ay [0x2]`}},
		{specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr(int64(0))}}, []string{"TasksMax=@t 1"}},
		{specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: ptr(uint16(10))}}, []string{"IOWeight=@t 1"}},
		{unified("memory.high", "7"), []string{"MemoryHigh=@t 7"}},
		{unified("memory.min", "max"), []string{"MemoryMin=@t 18446744073709551615"}},
		{unified("memory.zswap.max", "0"), []string{"MemoryZSwapMax=@t 0"}},
		{unified("memory.oom.group", "1"), []string{`OOMPolicy="kill"`}},
		{unified("memory.oom.group", "0"), []string{`OOMPolicy="continue"`}},
		{unified("cpu.max", "max 20000"), []string{"CPUQuotaPerSecUSec=@t 18446744073709551615", "CPUQuotaPeriodUSec=@t 20000"}},
		{unified("io.weight", "default 50\n8:0 60"), []string{"IOWeight=@t 50"}},
		{unified("io.max", "8:0 rbps=5"), nil},
		{unified("pids.max", "what"), nil}, // the kernel refuses these
		{unified("hugetlb.2MB.max", "5"), nil},
	} {
		writes, err := fs2.Plan("/nowhere", &test.r)
		if err != nil {
			t.Errorf("%v: %v", test.want, err)
			continue
		}
		props := fromWrites("/nowhere", writes)
		if got := text(props); !slices.Equal(got, test.want) {
			t.Errorf("got %q, want %q", got, test.want)
		}
		for _, p := range props {
			if !p.optional {
				t.Errorf("%s has a file too", p.name)
			}
		}
	}
}

func TestParseBitmap(t *testing.T) {
	for _, bad := range []string{"", "x", "3-1", "-1", "0-99999999", "1,x"} {
		if bits, ok := parseBitmap(bad); ok {
			t.Errorf("%q: %v", bad, bits)
		}
	}
	if bits, ok := parseBitmap(" 0, 8-9 "); !ok || !slices.Equal(bits, []byte{1, 3}) {
		t.Errorf("%v %v", bits, ok)
	}
}

func TestFromDevices(t *testing.T) {
	rule := func(allow bool, typ string, major, minor int64, access string) specs.LinuxDeviceCgroup {
		return specs.LinuxDeviceCgroup{Allow: allow, Type: typ, Major: &major, Minor: &minor, Access: access}
	}
	deny := specs.LinuxDeviceCgroup{Access: "rwm"}
	everything := specs.LinuxDeviceCgroup{Allow: true, Access: "rwm"}
	for _, test := range []struct {
		name  string
		rules []specs.LinuxDeviceCgroup
		want  []string
	}{
		{"none", nil, nil},
		{"all denied", []specs.LinuxDeviceCgroup{deny}, []string{`DevicePolicy="strict"`, `DeviceAllow=@a(ss) []`, `DeviceAllow=@a(ss) []`}},
		{"some", []specs.LinuxDeviceCgroup{deny, rule(true, "c", 1, 3, "rw"), rule(true, "b", -1, -1, "m")}, []string{`DevicePolicy="strict"`, `DeviceAllow=@a(ss) []`, `DeviceAllow=[("/dev/char/1:3", "rw",), ("block-*", "m",)]`}},
		{"a driver", []specs.LinuxDeviceCgroup{rule(true, "c", 3999, -1, "r")}, []string{`DevicePolicy="strict"`, `DeviceAllow=@a(ss) []`, `DeviceAllow=[("char-3999", "r",)]`}},
		{"everything", []specs.LinuxDeviceCgroup{deny, everything, rule(true, "c", 1, 3, "rw")}, []string{`DevicePolicy="auto"`, `DeviceAllow=@a(ss) []`, `DeviceAllow=@a(ss) []`}},
		{"all but one", []specs.LinuxDeviceCgroup{everything, rule(false, "c", 1, 3, "w")}, []string{`DevicePolicy="auto"`, `DeviceAllow=@a(ss) []`, `DeviceAllow=@a(ss) []`}},
		{"a minor of all drivers", []specs.LinuxDeviceCgroup{rule(true, "c", -1, 3, "w")}, []string{`DevicePolicy="auto"`, `DeviceAllow=@a(ss) []`, `DeviceAllow=@a(ss) []`}},
	} {
		props, err := fromDevices(test.rules)
		if got := text(props); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v\n got %q\nwant %q", test.name, err, got, test.want)
		}
	}
	if _, err := fromDevices([]specs.LinuxDeviceCgroup{{Type: "x", Access: "r"}}); !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
}

func TestParseDrivers(t *testing.T) {
	names := parseDrivers("Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n  8 sd\n")
	if names["char"][136] != "pts" || names["block"][8] != "sd" || names["block"][1] != "" {
		t.Error(names)
	}
}

func TestFromAnnotations(t *testing.T) {
	const prefix = "org.systemd.property."
	props, err := fromAnnotations(map[string]string{
		prefix + "CollectMode": "'inactive-or-failed'", prefix + "TimeoutStopUSec": "uint64 123", prefix + "After": "['a.service', \"b.service\"]",
		prefix + "RuntimeMaxSec": "100", prefix + "DefaultDependencies": "true", prefix + "WatchdogSec": "1.5",
		prefix + "Environment": "@as []",
		prefix + "USec":        "uint64 5", "org.systemd.other": "!",
	})
	want := []string{
		`After=["a.service", "b.service"]`, `CollectMode="inactive-or-failed"`, `DefaultDependencies=true`, `Environment=@as []`,
		`RuntimeMaxUSec=@t 100000000`, `TimeoutStopUSec=@t 123`, `USec=@t 5`, `WatchdogUSec=@t 1500000`,
	}
	if got := text(props); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\n got %q\nwant %q", err, got, want)
	}
	for _, test := range []struct{ name, value, text string }{
		{"a", "true", `annotations: "` + prefix + `a" name incorrect`},
		{"Foo_Bar", "true", "name incorrect"},
		{"", "true", "name incorrect"},
		{"Slice", "'x.slice'", "set by berth itself"},
		{"PIDs", "[uint32 1]", "set by berth itself"},
		{"Foo", "truex", "annotations: " + prefix + `Foo="truex" value parse error`},
		{"Foo", "", "value parse error"},
		{"Foo", "1, 2", "more than one value"},
		{"Foo", "true]", "more than one value"},
		{"Foo", "'a' 'b'", "value parse error"},
		{"Foo", "(1, 2)", "value parse error"},
		{"Foo", "[[], 2]", "not a value"},
		{"Foo", "'\x00'", "null char"},
		{"Foo", "\u2460", "not ASCII"},
		{"Foo", "'\u2460", "does not end"},
		{"Foo", strings.Repeat("[']',", 65), "nested deeper than 64"},
		{"Foo", strings.Repeat("<", 65), "nested deeper than 64"},
		{"TimeoutSec", "'x'", "not a number"},
		{"TimeoutSec", "-1", "out of range"},
	} {
		_, err := fromAnnotations(map[string]string{prefix + test.name: test.value})
		if !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s=%s: %v", test.name, test.value, err)
		}
	}
}

// TestManyAnnotations: the library's parser takes a minute for a list of megabytes.
func TestManyAnnotations(t *testing.T) {
	const prefix = "org.systemd.property."
	half := "[" + strings.Repeat("1,", textMost/4-1) + "1]"
	list, err := fromAnnotations(map[string]string{prefix + "Foo": half, "other": strings.Repeat("x", textMost)})
	if err != nil || len(list) != 1 {
		t.Errorf("%d properties, %v", len(list), err)
	}
	for _, annotations := range []map[string]string{
		{prefix + "Foo": "[" + strings.Repeat("1,", textMost/2) + "1]"},
		{prefix + "Foo": half, prefix + "Bar": half + " "},
	} {
		_, err := fromAnnotations(annotations)
		if !errors.Is(err, unix.E2BIG) || len(err.Error()) > 200 {
			t.Errorf("%.300v", err)
		}
	}
}
