package fs2

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"golang.org/x/sys/unix"
)

// setUnified writes linux.resources.unified: file names and values, as they
// are. The controller of a file is what comes before the first dot.
func (m *Manager) setUnified(t *cgroups.Transaction, unified map[string]string) error {
	if len(unified) == 0 {
		return nil
	}
	if m.dir == "" {
		return fmt.Errorf("unified: %w", m.absent())
	}
	keys := slices.Sorted(maps.Keys(unified))
	for _, key := range keys {
		if err := cgroups.CheckName(key); err != nil {
			return fmt.Errorf("unified: %w", err)
		}
	}
	for _, key := range keys {
		field := "unified[" + strconv.Quote(key) + "]"
		controller, _, ok := strings.Cut(key, ".")
		if !ok {
			return fmt.Errorf("%s: %w (not of the form CONTROLLER.FILE)", field, unix.EINVAL)
		}
		// A file that is there needs nothing enabled; irq.pressure, for one, has
		// no controller.
		if !cgroups.Exists(m.dir, key) && controller != "cgroup" {
			if err := enable(m.dir, controller); err != nil {
				return fmt.Errorf("%s: %w", field, err)
			}
		}
		if err := t.Apply(m.dir, unifiedWrites(field, key, unified[key])); err != nil {
			return err
		}
	}
	return nil
}

// unifiedWrites makes a write of each line: files such as io.max take a single
// device a write.
func unifiedWrites(field, file, value string) []cgroups.Write {
	var writes []cgroups.Write
	for line := range strings.Lines(value) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			writes = append(writes, cgroups.Write{Field: field, File: file, Value: line, Row: rowOf(file, line)})
		}
	}
	if len(writes) == 0 {
		writes = []cgroups.Write{{Field: field, File: file, Value: value}}
	}
	return writes
}

// rowOf returns the word by which the kernel finds the line of a file that a
// value is for: the numbers of a device, or the name of a resource.
func rowOf(file, value string) string {
	word, _, more := strings.Cut(value, " ")
	named := []string{"misc.max", "rdma.max", "dmem.max", "dmem.min", "dmem.low"}
	if more && (strings.Contains(word, ":") || slices.Contains(named, file)) {
		return word
	}
	return ""
}
