package capabilities

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// TestNumbers compares the table with the kernel's header at both ends and in
// the middle: one name too many or too few moves all that follow.
func TestNumbers(t *testing.T) {
	for name, want := range map[string]uint{
		"CAP_CHOWN":              unix.CAP_CHOWN,
		"CAP_KILL":               unix.CAP_KILL,
		"CAP_SETPCAP":            unix.CAP_SETPCAP,
		"CAP_NET_BIND_SERVICE":   unix.CAP_NET_BIND_SERVICE,
		"CAP_NET_RAW":            unix.CAP_NET_RAW,
		"CAP_SYS_CHROOT":         unix.CAP_SYS_CHROOT,
		"CAP_SYS_ADMIN":          unix.CAP_SYS_ADMIN,
		"CAP_MKNOD":              unix.CAP_MKNOD,
		"CAP_AUDIT_WRITE":        unix.CAP_AUDIT_WRITE,
		"CAP_SETFCAP":            unix.CAP_SETFCAP,
		"CAP_SYSLOG":             unix.CAP_SYSLOG,
		"CAP_AUDIT_READ":         unix.CAP_AUDIT_READ,
		"CAP_PERFMON":            unix.CAP_PERFMON,
		"CAP_BPF":                unix.CAP_BPF,
		"CAP_CHECKPOINT_RESTORE": unix.CAP_CHECKPOINT_RESTORE,
	} {
		got, err := Parse(name)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v; want %d", name, got, err, want)
		}
	}
	if Count != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d capabilities; x/sys/unix knows %d", Count, unix.CAP_LAST_CAP+1)
	}
}

func TestRoundTrip(t *testing.T) {
	for i, name := range Names() {
		number, err := Parse(name)
		if err != nil || number != uint(i) || Name(number) != name {
			t.Errorf("%q: number %d, name %q, %v", name, number, Name(number), err)
		}
	}
	if got := Name(63); got != "CAP_63" {
		t.Errorf("Name(63) = %q", got)
	}
}

func TestNamesIsACopy(t *testing.T) {
	Names()[0] = "CAP_NONSENSE"
	if Name(0) != "CAP_CHOWN" {
		t.Error("a caller can change the table")
	}
}

func TestParseUnknown(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"CAP_SYS_ADMN", `unknown capability "CAP_SYS_ADMN"; did you mean "CAP_SYS_ADMIN"?`},
		{"cap_chown", `unknown capability "cap_chown"; did you mean "CAP_CHOWN"?`},
		{"NET_RAW", `unknown capability "NET_RAW"; did you mean "CAP_NET_RAW"?`},
		{"", `unknown capability "" (see capabilities(7))`},
		{"CAP_", `unknown capability "CAP_" (see capabilities(7))`},
		{"CAP_TELEPORTATION", `unknown capability "CAP_TELEPORTATION" (see capabilities(7))`},
	} {
		_, err := Parse(test.name)
		if err == nil || err.Error() != test.want {
			t.Errorf("Parse(%q): %v; want %s", test.name, err, test.want)
		}
	}
	if _, err := Parse(strings.Repeat("X", 1<<20)); len(err.Error()) > 200 {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestMask(t *testing.T) {
	set, unknown := Mask([]string{"CAP_KILL", "CAP_KIL", "CAP_CHOWN", "CAP_KILL", "x"})
	if set != 1<<unix.CAP_KILL|1<<unix.CAP_CHOWN {
		t.Errorf("%#x", set)
	}
	want := []string{
		`unknown capability "CAP_KIL" is ignored; did you mean "CAP_KILL"?`,
		`unknown capability "x" is ignored (see capabilities(7))`,
	}
	for i, u := range unknown {
		if i >= len(want) || u.Warning() != want[i] || u.Index != []int{1, 4}[i] {
			t.Errorf("%d: %s", u.Index, u.Warning())
		}
	}
	if len(unknown) != len(want) {
		t.Errorf("%d unknown names", len(unknown))
	}
}

func TestRemedy(t *testing.T) {
	const kill, chown, bpf = 1 << unix.CAP_KILL, 1 << unix.CAP_CHOWN, 1 << unix.CAP_BPF
	caps := config.Capabilities{Permitted: kill | chown, Inheritable: bpf}
	for own, want := range map[uint64]string{
		kill | chown | bpf: "",
		kill | bpf:         "leave out of process.capabilities what the runtime itself lacks: CAP_CHOWN",
		chown:              "leave out of process.capabilities what the runtime itself lacks: CAP_KILL, CAP_BPF",
	} {
		if got := remedy(caps, own); got != want {
			t.Errorf("with %#x: got %q, want %q", own, got, want)
		}
	}
}
