package main

import (
	"fmt"
	"os"
	"path"
	"strings"
)

// differences are the tests that are known to fail, by name, with the reason. In
// tests/engines, the name is "BED: NAME", in which BED is a pattern of path.Match. It may be
// nil.
type differences map[string]string

// readDifferences reads a file of test names, each group of them followed by indented
// lines with the reason; "#" starts a comment.
func readDifferences(path string) (differences, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := differences{}
	var names []string // that the next reason is for
	reasoned := false
	for line := range strings.Lines(string(content)) {
		text := strings.TrimSpace(line)
		switch {
		case text == "" || text[0] == '#':
		case line[0] == ' ' || line[0] == '\t':
			if len(names) == 0 {
				return nil, fmt.Errorf("%s: a reason without a test: %q", path, text)
			}
			for _, name := range names {
				d[name] = strings.TrimSpace(d[name] + " " + text)
			}
			reasoned = true
		default:
			if reasoned {
				names, reasoned = nil, false
			}
			names = append(names, text)
			d[text] = ""
		}
	}
	for name, reason := range d {
		if reason == "" {
			return nil, fmt.Errorf("%s: no reason given for %q", path, name)
		}
	}
	return d, nil
}

// judge turns an expected failure into another status, and an unexpected pass into a
// failure: such an entry is stale.
func (d differences) judge(res result, becomes status, list string) result {
	reason, listed := d.reason(res)
	if !listed || res.status == skipped {
		return res
	}
	if res.status == failed {
		res.status, res.reason = becomes, reason
		fmt.Printf("# %s: %s\n", list, reason)
		return res
	}
	res.status = failed
	res.reason = "passes, although " + list + " says that it fails"
	return res
}

// reason returns the reason of a test's entry, and whether it has one.
func (d differences) reason(res result) (string, bool) {
	if reason, listed := d[res.name]; listed {
		return reason, true
	}
	for entry, reason := range d {
		if test, ours := ofBed(entry, res.suite); ours && test == res.name {
			return reason, true
		}
	}
	return "", false
}

// ofBed returns the test of an entry "BED: NAME", and whether its pattern matches the bed.
func ofBed(entry, bed string) (string, bool) {
	pattern, test, _ := strings.Cut(entry, ": ")
	matches, err := path.Match(pattern, bed)
	return test, err == nil && matches
}
