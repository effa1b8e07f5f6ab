package specconv

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A refusal is a field of config.json that berth does not support. It is an
// error, and never ignored. To support the field, delete its row and read the
// field: a test checks that every field of the specification is read or
// refused.
type refusal[T any] struct {
	// field is relative to the object that has it.
	field string
	why   string
	// set reports whether the field has a value with an effect.
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

// refuse returns the error for the first row with a field that is set in v,
// which is at path in config.json; a nil v has no fields.
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

// checkRefused checks the tables for whole sections. The tables for processes
// are checked where each process is converted.
func checkRefused(spec *specs.Spec) error {
	return refuse(refusedInSpec, "", spec)
}
