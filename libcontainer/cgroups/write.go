package cgroups

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Write is one value to write for a field of linux.resources.
type Write struct {
	Field string // e.g. "memory.limit"
	File  string
	Value string
	// Remedy says what to do when the kernel answers with an errno.
	Remedy map[unix.Errno]string
	// InUse is a file that tells how much is in use, for when that is the
	// reason of EBUSY.
	InUse string
}

// Apply makes the writes to the cgroup directory dir, in their order, except
// that one the kernel calls invalid is tried again after the others. Many
// values are checked against another that may be about to change too: a v1
// memory limit must not exceed that of memory and swap, a burst not the quota,
// so the right order depends on the values of now. A refused write changes
// nothing.
func Apply(dir string, writes []Write) error {
	return applyWith(writes, func(w Write) error { return w.apply(dir) })
}

func applyWith(writes []Write, apply func(Write) error) error {
	for len(writes) > 0 {
		var again []Write
		var first error
		for _, w := range writes {
			err := apply(w)
			if errors.Is(err, unix.EINVAL) {
				again = append(again, w)
				if first == nil {
					first = err
				}
				continue
			}
			if err != nil {
				return err
			}
		}
		if len(again) == len(writes) {
			return first
		}
		writes = again
	}
	return nil
}

func (w Write) apply(dir string) error {
	err := WriteFile(dir, w.File, w.Value)
	if err == nil {
		return nil
	}
	for errno, remedy := range w.Remedy {
		if errors.Is(err, errno) {
			return fmt.Errorf("%s: %w (%s%s)", w.Field, err, remedy, w.used(dir, errno))
		}
	}
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%s: %w (this kernel does not have it)", w.Field, err)
	}
	return fmt.Errorf("%s: %w", w.Field, err)
}

func (w Write) used(dir string, errno unix.Errno) string {
	if w.InUse == "" || errno != unix.EBUSY {
		return ""
	}
	n, err := ReadUint(dir, w.InUse)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(", %d bytes", n)
}

// Invalid returns the error for a field of linux.resources with a value that
// no kernel would take.
func Invalid(field string, value any, why string) error {
	return fmt.Errorf("%s: %v: %w (%s)", field, value, unix.EINVAL, why)
}

// Unsupported returns the error for a field of linux.resources that this kind
// of cgroup has nothing for.
func Unsupported(field, why string) error {
	return fmt.Errorf("%s: %w (%s)", field, errors.ErrUnsupported, why)
}
