package specconv

import (
	"reflect"
	"strconv"
	"strings"
)

// decoder puts a JSON text into a value of the specification's Go types, by
// their json tags, as encoding/json would. It exists because the first use of
// encoding/json on specs.Spec spends 0.5 ms on preparing to encode all the
// types in it, Windows and Solaris included: a tenth of what a container's
// start takes. What it does otherwise than encoding/json: a key that is there
// twice is an error, since nobody can know which one was checked by whoever
// made the file.
//
// Every method that reads a value takes the place to put it; the invalid
// reflect.Value means that nobody wants it.
type decoder struct {
	data []byte
	// at is the offset of the next byte.
	at int
	// path is the place of the value that is being read.
	path jsonPath
	// fields holds what fieldsOf has found.
	fields map[reflect.Type][]jsonField
}

// jsonField is a field of a struct.
type jsonField struct {
	name  string
	index []int
}

// decode reads one JSON value and nothing after it into what v points to.
func decode(data []byte, v any) error {
	d := decoder{data: data, fields: make(map[reflect.Type][]jsonField)}
	if err := d.value(reflect.ValueOf(v).Elem()); err != nil {
		return err
	}
	if d.next(); d.at < len(d.data) {
		return d.unexpected("the end of the file")
	}
	return nil
}

// value reads a value of any kind.
func (d *decoder) value(v reflect.Value) error {
	c := d.next()
	if c != 'n' {
		v = settle(v)
	}
	switch {
	case c == '{':
		return d.object(v)
	case c == '[':
		return d.array(v)
	case c == '"':
		return d.stringValue(v)
	case c == '-' || '0' <= c && c <= '9':
		return d.number(v)
	case c == 't':
		return d.boolean(v, "true", true)
	case c == 'f':
		return d.boolean(v, "false", false)
	case c == 'n': // leaves v as it is: zero
		return d.word("null")
	}
	return d.unexpected("a value")
}

// settle makes what pointers point to.
func settle(v reflect.Value) reflect.Value {
	for v.IsValid() && v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	if v.IsValid() && v.Kind() == reflect.Interface {
		return reflect.Value{} // only windows.credentialSpec, and windows is refused
	}
	return v
}

// object reads an object into a struct or a map.
func (d *decoder) object(v reflect.Value) error {
	member := d.ignored
	switch {
	case !v.IsValid():
	case v.Kind() == reflect.Struct:
		member = d.structMember(v)
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		member = d.mapMember(v)
	default:
		return d.mismatch(v, "an object")
	}
	return d.list('}', func(int) error {
		if d.next() != '"' {
			return d.unexpected("a key")
		}
		key, err := d.str()
		if err != nil {
			return err
		}
		if d.next() != ':' {
			return d.unexpected(`":"`)
		}
		d.at++
		d.path[len(d.path)-1].key = key
		return member(key)
	})
}

// ignored reads the value of a key that nobody wants.
func (d *decoder) ignored(string) error { return d.value(reflect.Value{}) }

// structMember returns what reads the fields of a struct.
func (d *decoder) structMember(v reflect.Value) func(key string) error {
	fields := d.fieldsOf(v.Type())
	seen := uint64(0) // no struct has 64 fields: a test sees to it
	return func(key string) error {
		i := findField(fields, key)
		if i < 0 {
			return d.ignored(key)
		}
		if seen>>i&1 != 0 {
			return fieldErr(d.path.String(), "is there twice")
		}
		seen |= 1 << i
		return d.value(v.FieldByIndex(fields[i].index))
	}
}

// mapMember returns what reads the entries of a map.
func (d *decoder) mapMember(v reflect.Value) func(key string) error {
	return func(key string) error {
		name := reflect.ValueOf(key)
		if v.MapIndex(name).IsValid() {
			return fieldErr(d.path.String(), "is there twice")
		}
		element := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(element); err != nil {
			return err
		}
		v.SetMapIndex(name, element)
		return nil
	}
}

// array reads an array into a slice.
func (d *decoder) array(v reflect.Value) error {
	if v.IsValid() {
		if v.Kind() != reflect.Slice {
			return d.mismatch(v, "an array")
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	return d.list(']', func(i int) error {
		if !v.IsValid() {
			return d.value(v)
		}
		v.Grow(1)
		v.SetLen(i + 1)
		return d.value(v.Index(i))
	})
}

// stringValue reads a string.
func (d *decoder) stringValue(v reflect.Value) error {
	s, err := d.str()
	switch {
	case err != nil || !v.IsValid():
		return err
	case v.Kind() != reflect.String:
		return d.mismatch(v, "a string")
	}
	v.SetString(s)
	return nil
}

// boolean reads true or false.
func (d *decoder) boolean(v reflect.Value, word string, b bool) error {
	if err := d.word(word); err != nil || !v.IsValid() {
		return err
	}
	if v.Kind() != reflect.Bool {
		return d.mismatch(v, "a boolean")
	}
	v.SetBool(b)
	return nil
}

// number reads a number; the specification has whole ones only.
func (d *decoder) number(v reflect.Value) error {
	literal, err := d.numeral()
	if err != nil || !v.IsValid() {
		return err
	}
	switch {
	case v.CanInt():
		n, err := strconv.ParseInt(literal, 10, v.Type().Bits())
		if err != nil {
			return d.mismatch(v, literal[:min(len(literal), 40)])
		}
		v.SetInt(n)
	case v.CanUint():
		n, err := strconv.ParseUint(literal, 10, v.Type().Bits())
		if err != nil {
			return d.mismatch(v, literal[:min(len(literal), 40)])
		}
		v.SetUint(n)
	default:
		return d.mismatch(v, "a number")
	}
	return nil
}

// mismatch makes the error for a value that is not what its field takes.
func (d *decoder) mismatch(v reflect.Value, found string) error {
	return fieldErr(d.path.String(), "want %s, found %s", wanted(v.Type()), found)
}

// fieldsOf returns the fields of a struct that have a json tag, and those of
// the structs embedded in it.
func (d *decoder) fieldsOf(t reflect.Type) []jsonField {
	fields, known := d.fields[t]
	if known {
		return fields
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for _, inner := range d.fieldsOf(f.Type) {
				fields = append(fields, jsonField{inner.name, append([]int{i}, inner.index...)})
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		fields = append(fields, jsonField{name, f.Index})
	}
	d.fields[t] = fields
	return fields
}

// findField returns the index of the field for a key, or -1. Like
// encoding/json, and so like every runtime written in Go, it takes a key that
// differs in case only.
func findField(fields []jsonField, key string) int {
	for i := range fields {
		if fields[i].name == key {
			return i
		}
	}
	for i := range fields {
		if strings.EqualFold(fields[i].name, key) {
			return i
		}
	}
	return -1
}
