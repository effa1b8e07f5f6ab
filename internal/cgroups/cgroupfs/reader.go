package cgroupfs

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Reader reads many files of a cgroup directory and keeps the first error, so
// that its user checks for an error once. A file that does not exist reads as
// empty: the kernel's version and configuration decide which files exist.
type Reader struct {
	dir string
	err error
}

// NewReader returns a Reader on the directory dir. If dir does not exist, Err
// returns ENOENT.
func NewReader(dir string) *Reader {
	r := &Reader{dir: dir}
	if err := unix.Access(dir, unix.F_OK); err != nil {
		r.err = &os.PathError{Op: "read", Path: dir, Err: err}
	}
	return r
}

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Has reports whether a file exists.
func (r *Reader) Has(name string) bool {
	there, err := Exists(r.dir, name)
	if err != nil && r.err == nil {
		r.err = err
	}
	return there
}

// Text returns the content of a file.
func (r *Reader) Text(name string) string {
	if r.err != nil {
		return ""
	}
	s, err := ReadFile(r.dir, name)
	// EOPNOTSUPP: a pressure file where the kernel was booted with psi=0.
	if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EOPNOTSUPP) {
		r.err = err
	}
	return s
}

// Parse returns a number from the text of a file; "max" is Max.
func (r *Reader) Parse(s string) uint64 {
	n, err := ParseUint(s)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("read %q: %w", r.dir, err)
	}
	return n
}

// Uint returns the number in a file, 0 if the file is empty.
func (r *Reader) Uint(name string) uint64 {
	if s := r.Text(name); s != "" {
		return r.Parse(s)
	}
	return 0
}

// Keyed returns the numbers of a file of lines "KEY NUMBER". It ignores other
// lines.
func (r *Reader) Keyed(name string) map[string]uint64 {
	m := make(map[string]uint64)
	for line := range strings.Lines(r.Text(name)) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if n, err := ParseUint(value); err == nil {
			m[key] = n
		}
	}
	return m
}

// List returns the numbers of a list such as "0-3,7".
func (r *Reader) List(name string) []uint16 {
	list, err := ParseList(r.Text(name))
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("read %q: %w", r.dir+"/"+name, err)
	}
	return list
}

// ParseList expands a list such as "0-3,7".
func ParseList(s string) ([]uint16, error) {
	var list []uint16
	for part := range strings.SplitSeq(strings.TrimSpace(s), ",") {
		if part == "" {
			continue
		}
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("parse list %q: %w", s, err)
		}
		to, err := strconv.ParseUint(last, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("parse list %q: %w", s, err)
		}
		for n := from; n <= to; n++ {
			list = append(list, uint16(n))
		}
	}
	return list, nil
}

// HugepageSizes returns each SIZE for which a file "hugetlb.SIZE" + suffix
// exists.
func (r *Reader) HugepageSizes(suffix string) []string {
	entries, err := os.ReadDir(r.dir)
	if err != nil && r.err == nil {
		r.err = err
	}
	var sizes []string
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), "hugetlb.")
		size, found := strings.CutSuffix(rest, suffix)
		if ok && found && !strings.Contains(size, ".") {
			sizes = append(sizes, size)
		}
	}
	slices.Sort(sizes)
	return sizes
}

// ParseDevice parses the numbers of a device, written "MAJOR:MINOR".
func ParseDevice(s string) (major, minor uint64, ok bool) {
	before, after, ok := strings.Cut(s, ":")
	if !ok {
		return 0, 0, false
	}
	major, err1 := strconv.ParseUint(before, 10, 32)
	minor, err2 := strconv.ParseUint(after, 10, 32)
	return major, minor, err1 == nil && err2 == nil
}
