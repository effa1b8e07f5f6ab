package specconv

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// pathAt returns the path of a value in a JSON text, as "process.args[1]": of
// the one that ends at an offset or, if it is an object or array, whose bracket
// does. The field that json itself names is without indices and keys of maps.
func pathAt(data []byte, offset int64) string {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // floats have a range
	path, _ := findPath(d, offset)
	return strings.TrimPrefix(path, ".")
}

// findPath reads the next value, and returns the path in it of the value
// sought, if it is there.
func findPath(d *json.Decoder, offset int64) (path string, found bool) {
	token, err := d.Token()
	if err != nil || d.InputOffset() >= offset {
		return "", true
	}
	bracket, nested := token.(json.Delim)
	for i := 0; nested && d.More(); i++ {
		var key json.Token
		if bracket == '{' {
			key, _ = d.Token()
		}
		if rest, found := findPath(d, offset); found {
			return pathStep(key, i) + rest, true
		}
	}
	if nested {
		_, _ = d.Token() // the closing bracket
	}
	return "", false
}

// pathStep names a member of an object, or without a key an element of an array.
func pathStep(key json.Token, i int) string {
	name, isKey := key.(string)
	switch {
	case !isKey:
		return index("", i)
	case plain(name):
		return "." + name
	}
	return "[" + config.Quote(name) + "]" // a key of annotations, say
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

// mismatch says what was wanted and what was found; json has "array", "bool",
// "number", and "number 1.5" where another one would have done.
func mismatch(e *json.UnmarshalTypeError) string {
	want, found := wanted(e.Type), "a "+e.Value
	literal, isLiteral := strings.CutPrefix(e.Value, "number ")
	switch {
	case isLiteral:
		want, found = want+span(e.Type), literal[:min(len(literal), 40)]
	case e.Value == "array" || e.Value == "object":
		found = "an " + e.Value
	case e.Value == "bool":
		found = "a boolean"
	}
	return "want " + want + ", found " + found
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
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number"
}

// span is the range of a Go type of whole numbers: " from 0 to 65535".
func span(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		limit := int64(math.MaxInt64) >> (64 - t.Bits())
		return fmt.Sprintf(" from %d to %d", -limit-1, limit)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf(" from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	}
	return ""
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
