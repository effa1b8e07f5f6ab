package intelrdt

import (
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzLines checks the lines of a configuration, and merges those that pass the check.
func FuzzLines(f *testing.F) {
	f.Add("L3:0=7f0;1=1f\nMB:0=20", "MB:0=70;1=20", "L3CODE:0=f")
	f.Add("L3:0=0x0ff", "", "")
	f.Add(" L2 : 0 = f ; 1= \n\n", ":", "MB:=;=")
	f.Add("é:ü=\x00", "a", "a=b:c")
	f.Fuzz(func(t *testing.T, cache, bandwidth, more string) {
		lines := Lines(&specs.LinuxIntelRdt{L3CacheSchema: cache, MemBwSchema: bandwidth, Schemata: []string{more}})
		var good []Line
		for _, line := range lines {
			name, domains, err := parseLine(line.Text)
			if (err == nil) != (CheckLine(line.Text) == nil) {
				t.Errorf("%q: only one of CheckLine and parseLine accepts it", line.Text)
			}
			if err != nil {
				if strings.ContainsAny(err.Error(), "\n\x00") {
					t.Errorf("%q: error %q", line.Text, err)
				}
				continue
			}
			if len(domains) == 0 || strings.Contains(name, ":") {
				t.Errorf("%q: %q, %q", line.Text, name, domains)
			}
			good = append(good, line)
		}
		all, err := merge(good)
		if err != nil {
			t.Fatal(err)
		}
		for i := range good { // the last line about a domain counts
			name, domains, _ := parseLine(good[len(good)-1-i].Text)
			for domain, value := range domains {
				if got, ok := all[share{name, domain}]; i == 0 && (!ok || got.value != value) {
					t.Errorf("%q: %s of %s is %q", good, domain, name, got.value)
				}
			}
		}
		fs := &FS{root: t.TempDir()}
		for s, a := range all {
			if !fs.same(s.resource, a.value, a.value) {
				t.Errorf("%q differs from itself", a.value)
			}
		}
	})
}

// FuzzName checks that a group's name leads to a directory of its own.
func FuzzName(f *testing.F) {
	for _, name := range []string{"a", "..", "a/b", "info", "x\n", strings.Repeat("x", 256), "é"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		err := CheckName(name)
		if err == nil && (strings.ContainsAny(name, "/\n\x00") || len(name) > nameMax || strings.Trim(name, ".") == "" && len(name) < 3) {
			t.Errorf("%q is accepted", name)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%q: error %q", name, err)
		}
	})
}
