package systemd

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
)

// ours are the properties that annotations cannot set: they decide which cgroup
// the container has.
var ours = [...]string{"PIDs", "PIDFDs", "Slice"}

// fromAnnotations returns the properties among the annotations, by name:
// "org.systemd.property.CollectMode" = "'inactive-or-failed'".
func fromAnnotations(annotations map[string]string) ([]property, error) {
	var list []property
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		name, ok := strings.CutPrefix(key, config.UnitPropertyAnnotation)
		if !ok {
			continue
		}
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("annotations: %s name incorrect: %w", key, err)
		}
		value, err := parseValue(annotations[key])
		if err != nil {
			return nil, fmt.Errorf("annotations: %s=%s value parse error: %w: %w (GVariant text, such as uint64 5 or 'word')", key, annotations[key], unix.EINVAL, err)
		}
		if stem, ok := inSeconds(name); ok {
			if value, err = microseconds(value); err != nil {
				return nil, fmt.Errorf("annotations: %s=%s value parse error: %w", key, annotations[key], err)
			}
			name = stem + "USec"
		}
		list = append(list, property{name: name, value: value})
	}
	return list, nil
}

// parseValue parses a value in GVariant text format, except tuples. The library
// stops at the end of a value and ignores the rest. So parseValue parses the
// text twice, as an array of two elements, and requires two.
func parseValue(text string) (dbus.Variant, error) {
	twice, err := dbus.ParseVariant("["+text+","+text+"]", dbus.Signature{})
	if err != nil {
		return twice, err
	}
	if reflect.ValueOf(twice.Value()).Len() != 2 {
		return twice, errors.New("more than one value")
	}
	return dbus.ParseVariant(text, dbus.Signature{})
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func checkName(name string) error {
	switch {
	case len(name) < 3 || strings.Trim(name, letters) != "":
		return fmt.Errorf("%w: %q (three or more letters)", unix.EINVAL, name)
	case slices.Contains(ours[:], name):
		return fmt.Errorf("%w: %q is set by berth itself", unix.EINVAL, name)
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
