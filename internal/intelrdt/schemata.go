package intelrdt

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
)

// Line is a line of a schemata file: what one resource shares out, as in
// "L3:0=7f0;1=1f".
type Line struct {
	// Field is its place in config.json.
	Field string
	Text  string
}

// Lines are those that a configuration asks for, in the order in which they
// are to be written (config-linux.md, IntelRdt).
func Lines(rdt *specs.LinuxIntelRdt) []Line {
	var all []Line
	for line := range strings.Lines(rdt.L3CacheSchema) {
		all = append(all, Line{"linux.intelRdt.l3CacheSchema", strings.TrimSpace(line)})
	}
	if rdt.MemBwSchema != "" {
		all = append(all, Line{"linux.intelRdt.memBwSchema", rdt.MemBwSchema})
	}
	for i, text := range rdt.Schemata {
		all = append(all, Line{fmt.Sprintf("linux.intelRdt.schemata[%d]", i), text})
	}
	return all
}

// Write writes lines to the schemata file of a group.
func (fs *FS) Write(g *Group, lines []Line) error {
	for _, line := range lines {
		if err := fs.write(filepath.Join(g.Dir(), "schemata"), line.Text); err != nil {
			return &config.FieldError{Field: line.Field, Err: err}
		}
	}
	return nil
}

// asked is the value of one domain, and the field that asks for it.
type asked struct{ value, field string }

// compare makes sure that a group which is there shares out what the lines
// say; of domains that they do not name it may be anything.
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
	for what, w := range want {
		if i, ok := is[what]; !ok || !fs.same(what.resource, w.value, i.value) {
			return config.FieldErrorf(w.field, "group %q is there already, and has other schemata: %s (ask for the same, or for another closID)",
				g.Dir(), strings.Join(strings.Fields(string(text)), " "))
		}
	}
	return nil
}

// share is what a value is of: a resource, in one of its domains.
type share struct{ resource, domain string }

// merge gives what is left when all lines have been written.
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

// parseLine takes a line of schemata to pieces.
func parseLine(line string) (name string, domains map[string]string, err error) {
	name, list, ok := strings.Cut(strings.TrimSpace(line), ":")
	domains = map[string]string{}
	for part := range strings.SplitSeq(list, ";") {
		domain, value, is := strings.Cut(part, "=")
		ok = ok && is
		domains[strings.TrimSpace(domain)] = strings.TrimSpace(value)
	}
	if !ok {
		return "", nil, fmt.Errorf("%s: want RESOURCE:DOMAIN=VALUE;DOMAIN=VALUE... as in \"L3:0=f;1=f0\"", config.Quote(line))
	}
	return strings.TrimSpace(name), domains, nil
}

// same compares a value that is asked for with one that the kernel shows: masks
// with leading zeros, bandwidths rounded up to what the hardware can do.
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

// number reads a file with a number, 0 if there is none.
func (fs *FS) number(path string) uint64 {
	text, err := os.ReadFile(filepath.Join(fs.root, path))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 0, 64)
	return n
}

// CheckLine refuses what has not the form of a line for a schemata file.
func CheckLine(line string) error {
	_, _, err := parseLine(line)
	return err
}
