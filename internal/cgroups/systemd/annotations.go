package systemd

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// ours are the properties that annotations cannot set: they decide which cgroup
// the container has.
var ours = [...]string{"PIDs", "PIDFDs", "Slice"}

// textMost limits the values of all properties in annotations together, in bytes: for a list,
// the library's parser needs a thousand times the memory of its text.
const textMost = 128 << 10

// fromAnnotations returns the properties among the annotations, by name:
// "org.systemd.property.CollectMode" = "'inactive-or-failed'".
func fromAnnotations(annotations map[string]string) ([]property, error) {
	var list []property
	size := 0
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		name, ok := strings.CutPrefix(key, config.UnitPropertyAnnotation)
		if !ok {
			continue
		}
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("annotations: %.200q name incorrect: %w", key, err)
		}
		if size += len(annotations[key]); size > textMost {
			return nil, fmt.Errorf("annotations: %s*: the values have more than %d bytes: %w", config.UnitPropertyAnnotation, textMost, unix.E2BIG)
		}
		value, err := parseValue(annotations[key])
		if err != nil {
			return nil, fmt.Errorf("annotations: %s=%.200q value parse error: %w: %w (GVariant text, such as uint64 5 or 'word')", key, annotations[key], unix.EINVAL, err)
		}
		if stem, ok := inSeconds(name); ok {
			if value, err = microseconds(value); err != nil {
				return nil, fmt.Errorf("annotations: %s=%.200q value parse error: %w", key, annotations[key], err)
			}
			name = stem + "USec"
		}
		list = append(list, property{name: name, value: value})
	}
	return list, nil
}

// parseValue parses a value in GVariant text format, except tuples. It refuses a value that
// cannot be part of a message, such as a string with NUL.
func parseValue(text string) (v dbus.Variant, err error) {
	if err := checkText(text); err != nil {
		return v, err
	}
	// The library's parser panics for some texts that are not values: "[[], 2]".
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("not a value of a type that D-Bus has: %v", reason)
		}
	}()
	if v, err = parseOne(text); err != nil {
		return v, err
	}
	message := dbus.Message{Type: dbus.TypeMethodReply, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(uint32(1)),
		dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(v)),
	}, Body: []any{v}}
	return v, message.IsValid()
}

// parseOne parses a text of one value. The library stops at the end of a value and ignores
// the rest. So parseOne parses the text twice, as an array of two elements, and requires two.
func parseOne(text string) (dbus.Variant, error) {
	twice, err := dbus.ParseVariant("["+text+","+text+"]", dbus.Signature{})
	if err != nil {
		return twice, err
	}
	if reflect.ValueOf(twice.Value()).Len() != 2 {
		return twice, errors.New("more than one value")
	}
	return dbus.ParseVariant(text, dbus.Signature{})
}

// maxNesting is how deep arrays and variants may be nested: D-Bus allows 32 arrays.
const maxNesting = 64

// checkText refuses what the library's parser has no limits for: it needs minutes for 64 kB of
// nested arrays, and endless memory for a digit that is not ASCII's, such as "\u2460".
func checkText(text string) error {
	depth := 0
	var quote byte // of the string at this place, or 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '\'', c == '"':
			quote = c
		case c >= utf8.RuneSelf:
			return errors.New("a character outside of strings is not ASCII")
		case strings.IndexByte("[{<", c) >= 0:
			if depth++; depth > maxNesting {
				return fmt.Errorf("nested deeper than %d", maxNesting)
			}
		case strings.IndexByte("]}>", c) >= 0:
			depth--
		}
	}
	if quote != 0 {
		return errors.New("a string does not end")
	}
	return nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func checkName(name string) error {
	switch {
	case len(name) < 3 || strings.Trim(name, letters) != "":
		return fmt.Errorf("%w: three or more letters are needed", unix.EINVAL)
	case slices.Contains(ours[:], name):
		return fmt.Errorf("%w: it is set by berth itself", unix.EINVAL)
	}
	return nil
}

// inSeconds reports whether a name is that of unit files, which end in "Sec"
// and have seconds. Names of D-Bus end in "USec" and have microseconds.
func inSeconds(name string) (stem string, ok bool) {
	stem, ok = strings.CutSuffix(name, "Sec")
	if !ok || stem == "" {
		return "", false
	}
	last := stem[len(stem)-1]
	return stem, 'a' <= last && last <= 'z'
}

// microseconds converts a number of seconds to microseconds.
func microseconds(v dbus.Variant) (dbus.Variant, error) {
	const million = 1_000_000
	var seconds float64
	switch n := v.Value().(type) {
	case uint8:
		seconds = float64(n)
	case int16:
		seconds = float64(n)
	case uint16:
		seconds = float64(n)
	case int32:
		seconds = float64(n)
	case uint32:
		seconds = float64(n)
	case int64:
		seconds = float64(n)
	case uint64:
		seconds = float64(n)
	case float64:
		seconds = n
	default:
		return v, fmt.Errorf("%w: not a number of seconds", unix.EINVAL)
	}
	if seconds < 0 || seconds*million >= math.MaxUint64 {
		return v, fmt.Errorf("%w: out of range", unix.EINVAL)
	}
	return dbus.MakeVariant(uint64(seconds * million)), nil
}
