package specconv

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// jsonPath is the place of a value in a JSON text.
type jsonPath []jsonLevel

// jsonLevel is one open object or array.
type jsonLevel struct {
	array bool
	index int
	key   string
}

// String gives a path in the style of "process.args[1]".
func (p jsonPath) String() string {
	var s strings.Builder
	for _, level := range p {
		switch {
		case level.array:
			s.WriteString("[" + strconv.Itoa(level.index) + "]")
		case !plain(level.key): // a key of annotations, say
			s.WriteString("[" + config.Quote(level.key) + "]")
		case s.Len() > 0:
			s.WriteString("." + level.key)
		default:
			s.WriteString(level.key)
		}
	}
	return s.String()
}

// plain reports whether a key can stand in a path without quotes.
func plain(key string) bool {
	for _, c := range key {
		if (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (c < '0' || '9' < c) {
			return false
		}
	}
	return key != "" && len(key) < 64
}

// wanted describes the JSON value that a Go type takes.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array of " + plural(t.Elem())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		limit := int64(math.MaxInt64) >> (64 - t.Bits())
		return fmt.Sprintf("a whole number from %d to %d", -limit-1, limit)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	}
	return "an object"
}

// plural describes the elements of an array.
func plural(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "strings"
	case reflect.Struct:
		return "objects"
	}
	return "numbers"
}
