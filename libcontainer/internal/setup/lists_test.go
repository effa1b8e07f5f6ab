package setup

import (
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
	"github.com/berth-oci/berth/specconv"
)

// numbered calls make for each number below n.
func numbered[T any](n int, make func(i int) T) []T {
	list := []T{}
	for i := range n {
		list = append(list, make(i))
	}
	return list
}

// longLists are the lists of config.json, and the call that has an entry.
var longLists = []struct {
	list string
	set  func(s *specs.Spec, n int)
	call string // of each entry
}{
	{"mounts", func(s *specs.Spec, n int) {
		s.Mounts = append(s.Mounts, numbered(n, func(i int) specs.Mount {
			return specs.Mount{Destination: fmt.Sprint("/many/", i), Type: "bind", Source: "/", Options: []string{"rbind", "ro"}}
		})...)
	}, `, "N", 493) = 0  # mounts[`},
	{"options of a mount", func(s *specs.Spec, n int) {
		s.Mounts = append(s.Mounts, specs.Mount{
			Destination: "/many", Type: "overlay", Source: "o", Options: numbered(n, func(i int) string { return fmt.Sprint("option", i) }),
		})
	}, `, "optionN", 0, 0)`},
	{"maskedPaths", func(s *specs.Spec, n int) {
		s.Linux.MaskedPaths = numbered(n, func(i int) string { return fmt.Sprint("/many/", i) })
	}, `# linux.maskedPaths: "/many/N"`},
	{"readonlyPaths", func(s *specs.Spec, n int) {
		s.Linux.ReadonlyPaths = numbered(n, func(i int) string { return fmt.Sprint("/many/", i) })
	}, `# linux.readonlyPaths: "/many/N"`},
	{"devices", func(s *specs.Spec, n int) {
		s.Linux.Devices = numbered(n, func(i int) specs.LinuxDevice {
			return specs.LinuxDevice{Path: fmt.Sprint("/dev/many", i), Type: "c", Major: 1, Minor: 3}
		})
	}, `, "manyN", 0x2`},
	{"sysctl", func(s *specs.Spec, n int) {
		s.Linux.Sysctl = map[string]string{}
		for i := range n {
			s.Linux.Sysctl[fmt.Sprint("net.many", i)] = "1"
		}
	}, `"sys/net/manyN"`},
	{"PATH", func(s *specs.Spec, n int) {
		dirs := numbered(n, func(i int) string { return fmt.Sprint("/many/", i) })
		s.Process.Env = []string{"PATH=" + strings.Join(append(dirs, "/bin"), ":")}
	}, `"/many/N/sh"`},
	{"args", func(s *specs.Spec, n int) {
		s.Process.Args = append([]string{"sh"}, numbered(n, func(i int) string { return fmt.Sprint("a", i) })...)
	}, ""},
	{"env", func(s *specs.Spec, n int) {
		s.Process.Env = append(s.Process.Env, numbered(n, func(i int) string { return fmt.Sprintf("A%d=b", i) })...)
	}, ""},
	{"additionalGids", func(s *specs.Spec, n int) {
		s.Process.User.AdditionalGids = numbered(n, func(i int) uint32 { return uint32(i) })
	}, ""},
	{"capabilities", func(s *specs.Spec, n int) {
		s.Process.Capabilities.Bounding = numbered(n, func(int) string { return "CAP_KILL" })
	}, ""},
}

// A list of config.json may have any length: a queue that exceeds one batch is sent in
// several. One of the calls has each entry.
func TestListsOfAnyLength(t *testing.T) {
	for _, c := range longLists {
		for _, n := range []int{1, 10, 1000, 10000} {
			spec := specconv.Default(specconv.DefaultOptions{CgroupNamespace: true})
			spec.Process.Terminal = false
			spec.Linux.Seccomp = denyGetppid()
			c.set(spec, n)
			calls := strings.Join(recordInto(t, spec, inCreate|inStart), "\n")
			for _, i := range []int{0, n / 2, n - 1} {
				want := strings.ReplaceAll(c.call, "N", fmt.Sprint(i))
				if !strings.Contains(calls, want) {
					t.Errorf("%s with %d entries: no call for entry %d", c.list, n, i)
				}
			}
		}
	}
}

// recordInto is record with a region of the size that startStub would use.
func recordInto(t *testing.T, spec *specs.Spec, op operation) []string {
	t.Helper()
	_, usual := newRecorder()
	size := stub.RegionSize(spec.Process.Args, spec.Process.Env, len(spec.Process.User.AdditionalGids))
	proc, rec := stub.RecordSize(size, nil)
	rec.Answer = func(call, args string) (int64, bool) {
		if call == "statx" && strings.Contains(args, `"/many/`) { // no program
			return -int64(unix.ENOENT), true
		}
		return usual.Answer(call, args)
	}
	rec.Output = recordedOutput
	if failed, err := takeAll(recorded(t, spec, op, proc), func(*step) {}); err != nil {
		t.Fatalf("%s: %v", failed, err)
	}
	return rec.Lines
}
