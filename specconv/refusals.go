package specconv

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A refusal is a field of config.json that berth does not honour and that is
// therefore an error, never ignored. Deleting a row, and reading the field
// somewhere, is how a feature begins; the test that every field of the specification is read or refused holds it to
// that.
type refusal[T any] struct {
	// field is relative to the object it is a field of.
	field string
	why   string
	// set reports whether the field asks for anything.
	set func(*T) bool
}

const linuxOnly = "berth runs Linux containers"

var refusedInSpec = []refusal[specs.Spec]{
	{"solaris", linuxOnly, func(s *specs.Spec) bool { return s.Solaris != nil }},
	{"windows", linuxOnly, func(s *specs.Spec) bool { return s.Windows != nil }},
	{"vm", linuxOnly, func(s *specs.Spec) bool { return s.VM != nil }},
	{"zos", linuxOnly, func(s *specs.Spec) bool { return s.ZOS != nil }},
	{"freebsd", linuxOnly, func(s *specs.Spec) bool { return s.FreeBSD != nil }},
}

var refusedInProcess = []refusal[specs.Process]{
	{"commandLine", linuxOnly + `: use "args"`, func(p *specs.Process) bool { return p.CommandLine != "" }},
	{"user.username", linuxOnly + `: use "uid" and "gid"`, func(p *specs.Process) bool { return p.User.Username != "" }},
}

// refuse returns the error for the first row whose field is set in v, which
// is at path in config.json; a nil v has no fields.
func refuse[T any](table []refusal[T], path string, v *T) error {
	if v == nil {
		return nil
	}
	for _, row := range table {
		if row.set(v) {
			return fieldErr(strings.TrimPrefix(path+"."+row.field, "."), "%s", row.why)
		}
	}
	return nil
}

// checkRefused walks the tables for whole sections; those of processes
// are walked where each process is read.
func checkRefused(spec *specs.Spec) error {
	return refuse(refusedInSpec, "", spec)
}
