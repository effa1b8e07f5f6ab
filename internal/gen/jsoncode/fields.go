package jsoncode

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// field is a member of an object.
type field struct {
	name string
	// place is the selector in Go, for example "Launch.Env".
	place     string
	depth     int
	typ       reflect.Type
	omitempty bool
	// foreign is a section for other platforms: a pointer to a struct. Only its
	// presence matters, and only the struct itself is made.
	foreign bool
}

// maxFields is the number of bits that remember which members an object had.
const maxFields = 64

// memberName matches the names that need no escape sequence, in JSON and in Go.
var memberName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// fieldsOf returns the fields of a struct in the order in which encoding/json writes
// them.
func fieldsOf(t reflect.Type) ([]field, error) {
	all, err := walk(t, "", 0)
	if err != nil {
		return nil, err
	}
	var fields []field
	for _, f := range all {
		hidden, err := hides(all, f)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", t, err)
		case !memberName.MatchString(f.name):
			return nil, fmt.Errorf("%s.%s: name %q", t, f.place, f.name)
		case !hidden:
			fields = append(fields, f)
		}
	}
	if len(fields) > maxFields {
		return nil, fmt.Errorf("%s has %d fields, more than %d", t, len(fields), maxFields)
	}
	return fields, nil
}

// hides reports whether a field that is embedded less deeply has the same name.
func hides(all []field, f field) (bool, error) {
	hidden := false
	for _, other := range all {
		switch {
		case other.name != f.name || other.place == f.place:
		case other.depth == f.depth:
			return false, fmt.Errorf("%s and %s have the same name", f.place, other.place)
		case other.depth < f.depth:
			hidden = true
		}
	}
	return hidden, nil
}

// walk returns the fields of a struct, and those of embedded structs.
func walk(t reflect.Type, prefix string, depth int) ([]field, error) {
	var fields []field
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := sf.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" || !sf.IsExported() && !sf.Anonymous {
			continue
		}
		if sf.Anonymous && (!sf.IsExported() || sf.Type.Kind() == reflect.Pointer) {
			return nil, fmt.Errorf("%s.%s: an embedded pointer, or an unexported type", t, sf.Name)
		}
		if sf.Anonymous && name == "" && sf.Type.Kind() == reflect.Struct && sf.Type != timeType {
			if err := check(sf.Type); err != nil {
				return nil, err
			}
			inner, err := walk(sf.Type, prefix+sf.Name+".", depth+1)
			if err != nil {
				return nil, err
			}
			fields = append(fields, inner...)
			continue
		}
		if options != "" && options != "omitempty" {
			return nil, fmt.Errorf("%s.%s: option %q", t, sf.Name, options)
		}
		if name == "" {
			name = sf.Name
		}
		fields = append(fields, field{
			name: name, place: prefix + sf.Name, depth: depth, typ: sf.Type,
			omitempty: options == "omitempty", foreign: foreign(sf),
		})
	}
	return fields, nil
}

// foreign reports whether a field is a section of the specification for other
// platforms.
func foreign(sf reflect.StructField) bool {
	platforms, tagged := sf.Tag.Lookup("platform")
	section := sf.Type.Kind() == reflect.Pointer && sf.Type.Elem().Kind() == reflect.Struct
	return tagged && section && !strings.Contains(platforms, "linux")
}

// present is the condition for a field to be written; empty for always.
func (f field) present() string {
	if !f.omitempty {
		return ""
	}
	place := "v." + f.place
	switch f.typ.Kind() {
	case reflect.Bool:
		return place
	case reflect.String:
		return place + ` != ""`
	case reflect.Slice, reflect.Map:
		return "len(" + place + ") > 0"
	case reflect.Pointer:
		return place + " != nil"
	case reflect.Struct:
		return ""
	case reflect.Array:
		if f.typ.Len() > 0 {
			return ""
		}
		return "false"
	}
	return place + " != 0"
}
