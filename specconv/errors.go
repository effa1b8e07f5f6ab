package specconv

import (
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// fieldErr makes an error about one field of config.json.
func fieldErr(field, format string, args ...any) error {
	return config.FieldErrorf(field, format, args...)
}

// missing makes an error about a field that must be there; want says what it
// takes.
func missing(field, want string) error { return fieldErr(field, "missing: want %s", want) }

// invalid makes an error about the file as a whole.
func invalid(format string, args ...any) error { return fieldErr("", format, args...) }

// index names an element of an array: index("mounts", 3) is "mounts[3]".
func index(field string, i int) string {
	return field + "[" + strconv.Itoa(i) + "]"
}

// key names a value of an object whose names are free: key("linux.sysctl",
// "x") is "linux.sysctl.x"; a name that is more than a word is quoted, as in
// `linux.sysctl["a.b"]`.
func key(field, name string) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}
	if name == "" || len(name) > 64 || strings.ContainsFunc(name, odd) {
		return field + "[" + config.Quote(name) + "]"
	}
	return field + "." + name
}
