package devices

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestAllowList(t *testing.T) {
	rule := func(allow bool, typ string, major, minor int64, access string) specs.LinuxDeviceCgroup {
		return specs.LinuxDeviceCgroup{Allow: allow, Type: typ, Major: &major, Minor: &minor, Access: access}
	}
	deny, everything := rule(false, "a", -1, -1, "rwm"), rule(true, "a", -1, -1, "rwm")
	for _, test := range []struct {
		name      string
		rules     []specs.LinuxDeviceCgroup
		want      []Allowed
		whole, ok bool
	}{
		{"nothing", nil, nil, false, true},
		{"everything", []specs.LinuxDeviceCgroup{deny, everything}, nil, true, true},
		{"everything but", []specs.LinuxDeviceCgroup{everything, rule(false, "c", 1, 3, "r")}, nil, false, false},
		{"denied again", []specs.LinuxDeviceCgroup{everything, deny, rule(true, "b", 8, 0, "r")}, []Allowed{{true, 8, 0, "r"}}, false, true},
		{"both kinds", []specs.LinuxDeviceCgroup{rule(true, "a", -1, -1, "m")}, []Allowed{{true, -1, -1, "m"}, {false, -1, -1, "m"}}, false, true},
		{"taken back", []specs.LinuxDeviceCgroup{rule(true, "c", 1, 3, "r"), rule(true, "c", 1, 5, "r"), rule(false, "c", 1, 3, "rw")}, []Allowed{{false, 1, 5, "r"}}, false, true},
		{"denied again in part", []specs.LinuxDeviceCgroup{rule(true, "c", 1, -1, "r"), rule(false, "c", 1, 3, "r")}, nil, false, false},
		{"access denied again in part", []specs.LinuxDeviceCgroup{rule(true, "c", 1, 3, "rw"), rule(false, "c", 1, 3, "w")}, nil, false, false},
		{"another denied", []specs.LinuxDeviceCgroup{rule(true, "c", 1, 3, "r"), rule(false, "b", 1, 3, "r"), rule(false, "c", 1, 3, "m")}, []Allowed{{false, 1, 3, "r"}}, false, true},
	} {
		got, whole, ok, err := AllowList(test.rules)
		if err != nil || whole != test.whole || ok != test.ok || len(got) != len(test.want) {
			t.Errorf("%s: %v, %t, %t, %v", test.name, got, whole, ok, err)
			continue
		}
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: %v, want %v", test.name, got, test.want)
			}
		}
	}
	if _, _, _, err := AllowList([]specs.LinuxDeviceCgroup{{Type: "x", Access: "r"}}); err == nil {
		t.Error("AllowList accepts a kind that does not exist")
	}
}
