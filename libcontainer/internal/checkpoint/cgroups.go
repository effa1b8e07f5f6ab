package checkpoint

import (
	"fmt"
	"strings"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/internal/sys"
)

// CgroupRoots returns the cgroups of a process, by hierarchy, as CRIU takes them: the
// restored processes get these cgroups instead of those of the image.
func CgroupRoots(pid int) ([]criu.Pair, error) {
	text, err := procCgroup(pid)
	return cgroupRoots(text), err
}

// Hierarchies returns the names of the hierarchies in which a process has a cgroup of the
// container's, which has them by controller. In any other the process is in a cgroup of
// the host's, often the root: CRIU would save all cgroups of the host below it, and make
// again at restore what the host has removed since.
func Hierarchies(pid int, cgroups map[string]string) ([]string, error) {
	text, err := procCgroup(pid)
	return hierarchies(text, cgroups), err
}

func hierarchies(text string, cgroups map[string]string) []string {
	var list []string
	for _, root := range cgroupRoots(text) {
		for controller := range strings.SplitSeq(root.Key, ",") {
			if _, ok := cgroups[controller]; ok {
				list = append(list, root.Key)
				break
			}
		}
	}
	return list
}

func procCgroup(pid int) (string, error) {
	text, err := sys.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	return string(text), err
}

// cgroupRoots parses /proc/PID/cgroup: "ID:CONTROLLERS:PATH" (cgroups(7)).
func cgroupRoots(text string) []criu.Pair {
	var list []criu.Pair
	for line := range strings.Lines(text) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) == 3 {
			list = append(list, criu.Pair{Key: f[1], Value: f[2]})
		}
	}
	return list
}
