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
)

// Write is one value to write for a field of linux.resources.
type Write struct {
	Field string // e.g. "memory.limit"
	File  string
	Value string
	// Remedy says what to do when the kernel answers with an errno.
	Remedy map[unix.Errno]string
	// Row is the first word of the line with the value, in a file of many
	// lines: the numbers of a device, for one. Unset is what to write to have
	// no such line; empty if there always is one.
	Row   string
	Unset string
	// Pages says that the kernel rounds the value down to whole pages.
	Pages bool
	// InUse is a file that tells how much is in use, for when that is the
	// reason of EBUSY.
	InUse string
}

// Transaction makes writes to the directories of a cgroup. When one of them is
// refused, those before it can be taken back. Values that are there already
// are not written again: engines send all limits to change one of them, and v1
// refuses even the old memory limit while more than it is in use.
type Transaction struct {
	// before are the writes that restore what was, in the order of those made.
	before []restore
}

type restore struct {
	dir string
	Write
}

// Apply makes the writes to the cgroup directory dir, in their order, except
// that one the kernel calls invalid is tried again after the others. Many
// values are checked against another that may be about to change too: a v1
// memory limit must not exceed that of memory and swap, a burst not the quota,
// so the right order depends on the values of now. A refused write changes
// nothing.
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
	// What cannot be read (memory.reclaim) is no setting that could be restored.
	if readErr == nil && old != "" {
		w.Value = old
		t.before = append(t.before, restore{dir, w})
	}
	return nil
}

// Rollback writes back what was before, after err, which it returns together
// with what could not be restored.
func (t *Transaction) Rollback(err error) error {
	slices.Reverse(t.before)
	e := applyWith(t.before, func(r restore) error { return r.apply(r.dir) })
	t.before = nil
	if e != nil {
		return fmt.Errorf("%w; restore what was before: %w", err, e)
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
	return fmt.Errorf("%s: %w%s", w.Field, err, remedy)
}

// absent says what does not exist, file or cgroup, and what that means.
func (w Write) absent(dir string) (remedy string, err error) {
	if Exists(dir, ".") {
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

// holds reports whether a file with this content has the value already.
func (w Write) holds(content string) bool {
	now, ok := w.valueIn(content)
	if !ok || now == w.Value {
		return ok
	}
	n, err := strconv.ParseUint(w.Value, 10, 64)
	page := uint64(os.Getpagesize())
	return err == nil && w.Pages && strconv.FormatUint(n/page*page, 10) == now
}

// valueIn returns what to write to a file to get again what it holds, of this
// value, when it has this content; false if it holds nothing of it.
func (w Write) valueIn(content string) (string, bool) {
	if w.Row == "" {
		// Nothing is written by an empty write; an empty line empties a list.
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

// before returns what to write to have again what the file holds now; it is
// empty if nothing does that.
func (w Write) before(dir, now string) string {
	old, ok := w.valueIn(now)
	if !ok {
		return w.Unset
	}
	if now != "" {
		return old
	}
	// A cpuset of v2 that has processes cannot be emptied again (ENOSPC): it
	// gets for itself what it had from above.
	if effective, err := ReadFile(dir, w.File+".effective"); err == nil {
		return cmp.Or(effective, old)
	}
	return old
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
