package fs2

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"golang.org/x/sys/unix"
)

// setUnified writes linux.resources.unified.
func (m *Manager) setUnified(t *cgroupfs.Transaction, unified map[string]string) error {
	writes, err := planUnified(unified)
	if err != nil || len(writes) == 0 {
		return err
	}
	if m.dir == "" {
		return cgroupfs.InField("unified", fmt.Errorf("unified: %w", m.absent()))
	}
	for _, w := range writes {
		controller, _, _ := strings.Cut(w.File, ".")
		// A file that exists needs no controller; irq.pressure, for one, has
		// none.
		there, err := cgroupfs.Exists(m.dir, w.File)
		if err == nil && !there && controller != "cgroup" {
			err = enable(m.dir, controller)
		}
		if err != nil {
			return cgroupfs.InField(w.Field, fmt.Errorf("%s: %w", w.Field, err))
		}
	}
	return t.Apply(m.dir, writes)
}

// planUnified returns the writes for linux.resources.unified, with unchanged
// file names and values. The controller is the part of the file name before the
// first dot.
func planUnified(unified map[string]string) ([]cgroupfs.Write, error) {
	var writes []cgroupfs.Write
	for _, key := range slices.Sorted(maps.Keys(unified)) {
		if err := cgroupfs.CheckName(key); err != nil {
			return nil, cgroupfs.InField("unified", fmt.Errorf("unified: %w", err))
		}
		field := "unified[" + strconv.Quote(key) + "]"
		if !strings.Contains(key, ".") {
			return nil, cgroupfs.InField(field, fmt.Errorf("%s: %w (not of the form CONTROLLER.FILE)", field, unix.EINVAL))
		}
		writes = append(writes, unifiedWrites(field, key, unified[key])...)
	}
	return writes, nil
}

// unifiedWrites makes a write of each line: files such as io.max take one
// device in a write.
func unifiedWrites(field, file, value string) []cgroupfs.Write {
	var writes []cgroupfs.Write
	for line := range strings.Lines(value) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			writes = append(writes, cgroupfs.Write{Field: field, File: file, Value: line, Row: rowOf(file, line)})
		}
	}
	if len(writes) == 0 {
		writes = []cgroupfs.Write{{Field: field, File: file, Value: value}}
	}
	return writes
}

// rowOf returns the word by which the kernel finds the line for a value: the
// numbers of a device, or the name of a resource.
func rowOf(file, value string) string {
	word, _, more := strings.Cut(value, " ")
	named := []string{"misc.max", "rdma.max", "dmem.max", "dmem.min", "dmem.low"}
	if more && (strings.Contains(word, ":") || slices.Contains(named, file)) {
		return word
	}
	return ""
}
