package idmap

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/sys"
)

// Read returns the maps of the user namespace of process pid. Its host IDs are
// those of the caller's user namespace.
func Read(pid int) (m Maps, err error) {
	if m.UIDs, err = readMap(pid, uidKind.file); err != nil {
		return m, err
	}
	m.GIDs, err = readMap(pid, gidKind.file)
	return m, err
}

// GroupsDenied reports whether setgroups(2) is denied in the user namespace of
// process pid.
func GroupsDenied(pid int) (bool, error) {
	text, err := sys.ReadFile(fmt.Sprintf("/proc/%d/setgroups", pid))
	return strings.TrimSpace(string(text)) == "deny", err
}

func readMap(pid int, name string) (Mapping, error) {
	path := "/proc/" + strconv.Itoa(pid) + "/" + name
	text, err := sys.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := decode(string(text))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return m, nil
}

// decode parses /proc/PID/uid_map or gid_map. Unmapped host IDs are 4294967295.
func decode(text string) (Mapping, error) {
	var m Mapping
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, fmt.Errorf("%q: want three numbers", line)
		}
		var n [3]uint32
		for i, field := range fields {
			number, err := strconv.ParseUint(field, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			n[i] = uint32(number)
		}
		m = append(m, specs.LinuxIDMapping{ContainerID: n[0], HostID: n[1], Size: n[2]})
	}
	return m, nil
}
