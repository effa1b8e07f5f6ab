package cgroupfs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Reader reads many files of cgroup directories and keeps the first error, so that its
// user checks for an error once. A file that does not exist reads as empty: the kernel's
// version and configuration decide which files exist.
//
// It opens a directory once: the kernel then looks up one name per file.
type Reader struct {
	dir string
	fd  int
	buf []byte
	err error
}

// readerSize is the first size of the buffer: memory.stat of v2 has 2 KB.
const readerSize = 4096

// In calls read with the directory dir, and returns the first error since In began: ENOENT
// if dir does not exist.
func (r *Reader) In(dir string, read func(*Reader)) error {
	r.dir, r.err = dir, nil
	if r.fd, r.err = sys.Open(unix.AT_FDCWD, dir, unix.O_PATH|unix.O_DIRECTORY, 0); r.err != nil {
		return r.err
	}
	defer unix.Close(r.fd)
	read(r)
	return r.err
}

// Text returns the content of a file, without the newline at its end.
func (r *Reader) Text(name string) string {
	s, _ := r.TextIf(name)
	return s
}

// TextIf returns the content of a file as Text does, and whether the file exists.
func (r *Reader) TextIf(name string) (text string, exists bool) {
	b, exists := r.bytes(name)
	return string(b), exists
}

// bytes returns the content of a file, and whether it exists. The content is valid until
// the next call.
func (r *Reader) bytes(name string) (content []byte, exists bool) {
	if r.err != nil {
		return nil, false
	}
	b, err := r.read(name)
	switch {
	case err == nil:
		return bytes.TrimRight(b, "\n"), true
	case errors.Is(err, unix.ENOENT):
		return nil, false
	case errors.Is(err, unix.EOPNOTSUPP): // a pressure file where the kernel was booted with psi=0
		return nil, true
	}
	r.err = err
	return nil, false
}

// read reads a file to its end. The kernel prints a statistics file at once, so a read
// that leaves space in the buffer has reached the end.
func (r *Reader) read(name string) ([]byte, error) {
	fd, err := retry(func() (int, error) { return unix.Openat(r.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: r.dir + "/" + name, Err: err}
	}
	defer unix.Close(fd)
	if r.buf == nil {
		r.buf = make([]byte, readerSize)
	}
	for end := 0; ; {
		n, err := retry(func() (int, error) { return unix.Read(fd, r.buf[end:]) })
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: r.dir + "/" + name, Err: err}
		}
		if end += n; n == 0 || end < len(r.buf) {
			return r.buf[:end:end], nil
		}
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
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
	n, _ := r.UintIf(name)
	return n
}

// UintIf returns the number in a file, and whether the file exists.
func (r *Reader) UintIf(name string) (n uint64, exists bool) {
	b, exists := r.bytes(name)
	if len(b) == 0 {
		return 0, exists
	}
	n, err := ParseUint(string(b))
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("read %q: %w", r.dir+"/"+name, err)
	}
	return n, true
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

// Table returns the numbers of a file of lines "KEY NAME=NUMBER NAME=NUMBER", by key and
// name. A key can have a number itself, which Table leaves out: "KEY=NUMBER NAME=NUMBER".
func (r *Reader) Table(name string) map[string]map[string]uint64 {
	table := make(map[string]map[string]uint64)
	for line := range strings.Lines(r.Text(name)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		row := make(map[string]uint64, len(f)-1)
		for _, field := range f[1:] {
			key, value, _ := strings.Cut(field, "=")
			row[key] = r.Parse(value)
		}
		key, _, _ := strings.Cut(f[0], "=")
		table[key] = row
	}
	return table
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
