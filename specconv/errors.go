package specconv

import (
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// fieldErr returns an error about one field of config.json.
func fieldErr(field, format string, args ...any) error {
	return config.FieldErrorf(field, format, args...)
}

// missing returns an error about a required field; want describes its values.
func missing(field, want string) error { return fieldErr(field, "missing: want %s", want) }

// invalid returns an error about the whole file.
func invalid(format string, args ...any) error { return fieldErr("", format, args...) }

// index returns the path of an element of an array: index("mounts", 3) is
// "mounts[3]".
func index(field string, i int) string {
	return field + "[" + strconv.Itoa(i) + "]"
}

// key returns the path of a value of a map: key("linux.sysctl", "x") is
// "linux.sysctl.x". It quotes a key that is more than a word, as in
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
