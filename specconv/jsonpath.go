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

// pathAt returns the path of a value in a JSON text, such as "process.args[1]":
// the value that ends at an offset, or the object or array that has its bracket
// there. The field that json itself names lacks indices and keys of maps.
func pathAt(data []byte, offset int64) string {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // floats have a range
	path, _ := findPath(d, offset)
	return strings.TrimPrefix(path, ".")
}

// findPath reads the next value, and returns the path in it of the sought
// value, if it contains that.
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

// pathStep is a key of an object or, without a key, an element of an array.
func pathStep(key json.Token, i int) string {
	name, isKey := key.(string)
	switch {
	case !isKey:
		return index("", i)
	case plain(name):
		return "." + name
	}
	return "[" + config.Quote(name) + "]" // for example a key of annotations
}

// plain reports whether a key needs no quotes in a path.
func plain(key string) bool {
	for _, c := range key {
		if (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (c < '0' || '9' < c) {
			return false
		}
	}
	return key != "" && len(key) < 64
}

// mismatch describes the wanted and the found type. json calls the latter
// "array", "bool", "number", or "number 1.5" for a value that does not fit.
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

// wanted describes the JSON values of a Go type.
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

// span returns the range of an integer type: " from 0 to 65535".
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
