package manager

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// FuzzOwn parses /proc/PID/cgroup with an arbitrary path, and mountinfo with an arbitrary
// root of another mount.
func FuzzOwn(f *testing.F) {
	f.Add("/a:b", "cpu,cpuacct")
	f.Add("/\u00a0 /sys/fs/cgroup x", "name=systemd")
	f.Add("/\r", "")
	f.Fuzz(func(t *testing.T, path, controllers string) {
		parseOwn(path) // any text
		mountRoot(path, "/sys/fs/cgroup")
		if strings.ContainsAny(path, "\n") || strings.ContainsAny(controllers, "\n:") {
			return
		}
		want := hierarchy{path: path}
		if controllers != "" {
			want.controllers = strings.Split(controllers, ",")
		}
		got := parseOwn(fmt.Sprintf("9:%s:%s\n0::/unified\n", controllers, path))
		if len(got) != 2 || got[0].path != want.path || !slices.Equal(got[0].controllers, want.controllers) || got[1].path != "/unified" {
			t.Errorf("%q, %q: %q", path, controllers, got)
		}
		// The kernel escapes blanks and tabs in paths.
		name := strings.NewReplacer(" ", `\040`, "\t", `\011`, `\`, `\134`).Replace(path)
		text := fmt.Sprintf("5 1 0:9 %s /other rw - cgroup2 x rw\n6 1 0:9 /root /sys/fs/cgroup rw - cgroup2 x rw\n7 1 0:9 / %s rw - tmpfs x rw\n", name, name)
		if name != "/sys/fs/cgroup" && mountRoot(text, "/sys/fs/cgroup") != "/root" {
			t.Errorf("%q: %q", text, mountRoot(text, "/sys/fs/cgroup"))
		}
	})
}
