package cgroupfs

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Write is one value to write for a field of linux.resources.
type Write struct {
	Field string // e.g. "memory.limit"
	File  string
	Value string
	// Remedy has a hint for the error message by the kernel's errno.
	Remedy map[unix.Errno]string
	// Row is the first word of the line with the value, in a file of many
	// lines: the numbers of a device, for example. Unset is the text that
	// removes this line; empty if the line always exists.
	Row   string
	Unset string
	// Pages means that the kernel rounds the value down to whole pages.
	Pages bool
	// InUse is a file with the current usage, for the error message of EBUSY.
	InUse string
}

// Transaction makes writes to the directories of a cgroup. After a refused
// write, Rollback takes back those before it. A value that the file already has
// is not written: engines send all limits to change one of them, and v1 refuses
// even the old memory limit while more memory is in use.
type Transaction struct {
	// before are the writes that restore the old values, in the order of those
	// made.
	before []restore
}

type restore struct {
	dir string
	Write
}

// Apply makes the writes to the cgroup directory dir in their order, but tries
// a write that failed with EINVAL again after the others. The kernel checks
// many values against another that may be about to change too (a v1 memory
// limit must not exceed that of memory and swap, a burst not the quota), so the
// right order depends on the current values. A refused write changes nothing.
func (t *Transaction) Apply(dir string, writes []Write) error {
	return applyWith(writes, func(w Write) error { return t.write(dir, w) })
}

func (t *Transaction) write(dir string, w Write) error {
	now, readErr := ReadFile(dir, w.File)
	if readErr == nil && w.holds(now) {
		return nil
	}
	old := w.before(dir, now)
	if err := w.apply(dir); err != nil {
		return err
	}
	// A file that cannot be read (memory.reclaim) has no value to restore.
	if readErr == nil && old != "" {
		w.Value = old
		t.before = append(t.before, restore{dir, w})
	}
	return nil
}

// Rollback restores the old values after err. It returns err, joined with an
// error about the values that it could not restore.
func (t *Transaction) Rollback(err error) error {
	slices.Reverse(t.before)
	e := applyWith(t.before, func(r restore) error { return r.apply(r.dir) })
	t.before = nil
	if e != nil {
		return fmt.Errorf("%w; restore the old values: %w", err, e)
	}
	return err
}

func applyWith[W any](writes []W, apply func(W) error) error {
	for len(writes) > 0 {
		var again []W
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
	remedy := ""
	if errors.Is(err, unix.ENOENT) {
		remedy, err = w.absent(dir)
	}
	for errno, text := range w.Remedy {
		if errors.Is(err, errno) {
			remedy = " (" + text + w.used(dir, errno) + ")"
		}
	}
	return InField(w.Field, fmt.Errorf("%s: %w%s", w.Field, err, remedy))
}

// absent describes what is missing, the file or the cgroup, with the likely
// reason.
func (w Write) absent(dir string) (remedy string, err error) {
	there, err := Exists(dir, ".")
	switch {
	case err != nil:
		return "", fmt.Errorf("write %q: %w", w.Value, err)
	case there:
		return " (this kernel does not have it)", Missing("write %q: the cgroup %q has no file %q", w.Value, dir, w.File)
	}
	return " (it was removed meanwhile)", Missing("write %q: the cgroup %q does not exist", w.Value, dir)
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

// holds reports whether a file with this content already has the value.
func (w Write) holds(content string) bool {
	now, ok := w.valueIn(content)
	if !ok || now == w.Value {
		return ok
	}
	n, err := strconv.ParseUint(w.Value, 10, 64)
	page := uint64(os.Getpagesize())
	return err == nil && w.Pages && strconv.FormatUint(n/page*page, 10) == now
}

// valueIn returns the text that, written to a file with this content, sets this
// value again as it is; false if the file does not have the value.
func (w Write) valueIn(content string) (string, bool) {
	if w.Row == "" {
		// An empty write has no effect; an empty line empties a list.
		return cmp.Or(content, "\n"), true
	}
	for line := range strings.Lines(content) {
		line = strings.TrimSuffix(line, "\n")
		row, value, _ := strings.Cut(line, " ")
		switch {
		case row != w.Row:
		case strings.HasPrefix(w.Value, w.Row+" "):
			return line, true
		default:
			return value, true
		}
	}
	return "", false
}

// before returns the text that restores the current value of the file, now;
// empty if no text does.
func (w Write) before(dir, now string) string {
	old, ok := w.valueIn(now)
	if !ok {
		return w.Unset
	}
	if now != "" {
		return old
	}
	// A v2 cpuset with processes cannot be emptied again (ENOSPC): set the CPUs
	// or nodes that it inherited.
	if effective, err := ReadFile(dir, w.File+".effective"); err == nil {
		return cmp.Or(effective, old)
	}
	return old
}

// InField adds a field of linux.resources to an error. The text of err begins with it.
func InField(field string, err error) error { return config.InField("linux.resources."+field, err) }

// SetError returns an error of setting linux.resources.
func SetError(err error) error {
	var known *config.FieldError
	if errors.As(err, &known) {
		return fmt.Errorf("set linux.resources.%w", err)
	}
	return config.InField("linux.resources", fmt.Errorf("set linux.resources.%w", err))
}

// Invalid returns the error for a field of linux.resources with a value that
// every kernel refuses.
func Invalid(field string, value any, why string) error {
	return InField(field, fmt.Errorf("%s: %v: %w (%s)", field, value, unix.EINVAL, why))
}

// Unsupported returns the error for a field of linux.resources that this kind
// of cgroup does not have.
func Unsupported(field, why string) error {
	return InField(field, fmt.Errorf("%s: %w (%s)", field, errors.ErrUnsupported, why))
}
