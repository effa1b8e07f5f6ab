package specconv

import (
	"maps"
	"path"
	"slices"
	"strings"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
)

// sysctls are the namespaced ones, by their path below /proc/sys; a path that
// ends in a slash stands for all below. All others are the host's.
var sysctls = []struct {
	path      string
	namespace uint64
	name      string
}{
	{"fs/mqueue/", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/auto_msgmni", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/domainname", unix.CLONE_NEWUTS, "uts"},
	{"kernel/msg_next_id", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/msgmax", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/msgmnb", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/msgmni", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/sem", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/sem_next_id", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/shm_next_id", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/shm_rmid_forced", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/shmall", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/shmmax", unix.CLONE_NEWIPC, "ipc"},
	{"kernel/shmmni", unix.CLONE_NEWIPC, "ipc"},
	{"net/", unix.CLONE_NEWNET, "network"},
	{"user/", unix.CLONE_NEWUSER, "user"},
}

// convertSysctls checks linux.sysctl: each must belong to a namespace that the
// container has.
func convertSysctls(out *config.Config, list map[string]string) error {
	fields := map[string]string{}
	var later []config.Sysctl
	for _, name := range slices.Sorted(maps.Keys(list)) {
		field := key("linux.sysctl", name)
		file, ok := sysctlPath(name)
		if !ok {
			return fieldErr(field, `not the name of a sysctl: want words as in "net.ipv4.ip_forward"`)
		}
		if other, twice := fields[file]; twice {
			return fieldErr(field, "%s is the same", other)
		}
		fields[file] = field
		if err := checkSysctl(field, file, out.Namespaces); err != nil {
			return err
		}
		if err := text(field, list[name]); err != nil {
			return err
		}
		if s := (config.Sysctl{Field: field, Path: file, Value: list[name]}); writtenFirst(s) {
			out.Sysctls = append(out.Sysctls, s)
		} else {
			later = append(later, s)
		}
	}
	out.Sysctls = append(out.Sysctls, later...)
	return nil
}

// writtenFirst reports whether the sysctl must be written before others: a change of
// forwarding resets others of the interface, such as accept_redirects, to their defaults
// (Documentation/networking/ip-sysctl.rst). A new network namespace inherits the values
// of the host, and a host of Docker forwards.
func writtenFirst(s config.Sysctl) bool {
	switch path.Base(s.Path) {
	case "ip_forward", "forwarding":
		return true
	}
	return false
}

// sysctlPath returns the path of a name with words separated by dots or by
// slashes. The first separator decides which; the other one is a character
// then, and a slash in the name is a dot in the path (sysctl(8)).
func sysctlPath(name string) (path string, ok bool) {
	path = name
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '.' {
		swapped := []byte(name)
		for i, c := range swapped {
			switch c {
			case '.':
				swapped[i] = '/'
			case '/':
				swapped[i] = '.'
			}
		}
		path = string(swapped)
	}
	for word := range strings.SplitSeq(path, "/") {
		if word == "" || word == "." || word == ".." || strings.IndexByte(word, 0) >= 0 {
			return "", false
		}
	}
	return path, strings.Contains(path, "/")
}

// checkSysctl refuses sysctls that would change the host.
func checkSysctl(field, path string, namespaces config.Namespaces) error {
	if path == "kernel/hostname" {
		return fieldErr(field, `use "hostname" instead`)
	}
	for _, row := range sysctls {
		if path != row.path && (!strings.HasSuffix(row.path, "/") || !strings.HasPrefix(path, row.path)) {
			continue
		}
		if !namespaces.Has(row.namespace) {
			return fieldErr(field, `needs a %q namespace in linux.namespaces, or the host's would be changed`, row.name)
		}
		return nil
	}
	return fieldErr(field, "not namespaced: it would change the host's (set it there, with sysctl(8))")
}
