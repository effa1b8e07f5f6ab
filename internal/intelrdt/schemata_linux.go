package intelrdt

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Write writes lines to the schemata file of a group.
func (fs *FS) Write(g *Group, lines []Line) error {
	for _, line := range lines {
		if err := fs.write(filepath.Join(g.Dir(), "schemata"), line.Text); err != nil {
			return &config.FieldError{Field: line.Field, Err: err}
		}
	}
	return nil
}

// asked is the wanted value of one domain, and the field that sets it.
type asked struct{ value, field string }

// compare returns an error if the schemata of an existing group differ from the
// lines. It ignores domains that the lines do not name.
func (fs *FS) compare(g *Group, lines []Line) error {
	if len(lines) == 0 {
		return nil
	}
	want, err := merge(lines)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(g.Dir(), "schemata"))
	if err != nil {
		return err
	}
	var have []Line
	for line := range strings.Lines(string(text)) {
		have = append(have, Line{Text: line})
	}
	is, err := merge(have)
	if err != nil {
		return fmt.Errorf("read %q: %w", filepath.Join(g.Dir(), "schemata"), err)
	}
	for s, w := range want {
		if i, ok := is[s]; !ok || !fs.same(s.resource, w.value, i.value) {
			return config.FieldErrorf(w.field, "group %q exists with other schemata: %s (set the same, or another closID)",
				g.Dir(), strings.Join(strings.Fields(string(text)), " "))
		}
	}
	return nil
}

// share is one domain of one resource.
type share struct{ resource, domain string }

// merge returns the values after all lines have been written in order.
func merge(lines []Line) (map[share]asked, error) {
	all := map[share]asked{}
	for _, line := range lines {
		resource, domains, err := parseLine(line.Text)
		if err != nil {
			return nil, &config.FieldError{Field: line.Field, Err: err}
		}
		for domain, value := range domains {
			all[share{resource, domain}] = asked{value, line.Field}
		}
	}
	return all, nil
}

// same compares a value in config.json with the kernel's, which has leading
// zeros in masks and rounds bandwidths up to the hardware's granularity.
func (fs *FS) same(resource, want, is string) bool {
	if want == is {
		return true
	}
	base := 16 // masks of a cache
	if !strings.HasPrefix(resource, "L") {
		base = 10
	}
	w, err1 := strconv.ParseUint(strings.TrimPrefix(want, "0x"), base, 64)
	i, err2 := strconv.ParseUint(is, base, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	if base == 10 {
		step := max(1, fs.number(filepath.Join("info", resource, "bandwidth_gran")))
		w = (w + step - 1) / step * step
	}
	return w == i
}

// number reads a file with a number; it returns 0 if that fails.
func (fs *FS) number(path string) uint64 {
	text, err := os.ReadFile(filepath.Join(fs.root, path))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 0, 64)
	return n
}
