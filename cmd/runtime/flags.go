package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// kind is the type of a flag's value.
type kind int

const (
	text     kind = iota // string
	truth                // bool, true without a value
	number               // int
	duration             // time.Duration
	texts                // []string: the flag can be repeated
	numbers              // []int64: the flag can be repeated
)

// flag is a flag of a command, or a global one.
type flag struct {
	name  string
	short string // one letter, or empty
	kind  kind
	usage string // back quotes mark the name of the value
	value any    // the default, nil for the zero value
	// hidden means that help, completion and the manual page omit the flag.
	hidden bool
	// local means that a global flag must precede the command.
	local bool
}

// has reports whether the flag has this name.
func (f *flag) has(name string) bool { return name == f.name || f.short != "" && name == f.short }

// convert returns the value that the flag gets from a text; earlier is the value that
// it has, nil for none. It may refuse what the module accepts, for which see parse.
func (f *flag) convert(s string, earlier any) (any, error) {
	switch f.kind {
	case truth:
		return strconv.ParseBool(s)
	case number:
		n, err := decimal(s, strconv.IntSize)
		return int(n), err
	case duration:
		return time.ParseDuration(s)
	case texts:
		list, _ := earlier.([]string)
		return append(list, s), nil
	case numbers:
		list, _ := earlier.([]int64)
		n, err := decimal(s, 64)
		return append(list, n), err
	}
	return s, nil
}

// decimal reads a number of digits only, of so many bits. A 0 in front would mean another base.
func decimal(s string, bits int) (int64, error) {
	if strings.Trim(s, "0123456789") != "" || len(s) > 1 && s[0] == '0' {
		return 0, errors.ErrUnsupported
	}
	return strconv.ParseInt(s, 10, bits)
}
