package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"
)

// valueFlag is a flag of the module with a value of any kind. The module's own types are
// instances of one generic type, each of which adds 25 kB to the program.
type valueFlag struct {
	cli.GenericFlag

	repeated bool
}

// String returns the line of help, for this type.
func (f *valueFlag) String() string { return cli.FlagStringer(f) }

// IsMultiValueFlag reports whether the flag can be repeated; help shows it twice then.
func (f *valueFlag) IsMultiValueFlag() bool { return f.repeated }

// flagValue is the value of a valueFlag.
type flagValue struct {
	kind     kind
	standard any // the default
	value    any // from the command line, nil for none
}

// Set takes a value from the command line. A value of a flag that can be repeated is added
// to the earlier ones, and may contain a comma.
func (v *flagValue) Set(s string) (err error) {
	value := any(s)
	switch v.kind {
	case number:
		var n int64
		n, err = strconv.ParseInt(s, 0, strconv.IntSize)
		value = int(n)
	case duration:
		value, err = time.ParseDuration(s)
	case texts:
		list, _ := v.value.([]string)
		value = append(list, s)
	case numbers:
		var n int64
		n, err = strconv.ParseInt(strings.TrimSpace(s), 0, 64)
		list, _ := v.value.([]int64)
		value = append(list, n)
	}
	if err == nil {
		v.value = value
	}
	return err
}

// Get returns the value.
func (v *flagValue) Get() any {
	if v.value == nil {
		return v.standard
	}
	return v.value
}

// String returns the default, for help.
func (v *flagValue) String() string {
	switch {
	case v.standard == nil && v.kind == number:
		return "0"
	case v.standard == nil:
		return ""
	case v.kind == text:
		return fmt.Sprintf("%q", v.standard)
	}
	return fmt.Sprint(v.standard)
}
