package specconv

import (
	"fmt"
	"strconv"

	"github.com/berth-oci/berth/libcontainer/config"
)

// fieldErr makes an error about one field of config.json.
func fieldErr(field, format string, args ...any) error {
	return &config.FieldError{Field: field, Err: fmt.Errorf(format, args...)}
}

// invalid makes an error about the file as a whole.
func invalid(format string, args ...any) error { return fieldErr("", format, args...) }

// index names an element of an array: index("mounts", 3) is "mounts[3]".
func index(field string, i int) string {
	return field + "[" + strconv.Itoa(i) + "]"
}
