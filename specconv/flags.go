package specconv

import (
	"github.com/berth-oci/berth/libcontainer/config"
)

// number is a name in config.json and its number in the kernel.
type number struct {
	name  string
	value uint64
}

// names returns the names of a table, in its order.
func names(table []number) []string {
	list := make([]string, len(table))
	for i, row := range table {
		list[i] = row.name
	}
	return list
}

// lookUp returns the number of a name; what is the kind of name, for errors.
func lookUp(field, what, name string, table []number) (uint64, error) {
	if name == "" {
		return 0, missing(field, config.OneOf(names(table)))
	}
	for _, row := range table {
		if row.name == name {
			return row.value, nil
		}
	}
	hint := config.DidYouMean(name, names(table))
	if hint == "" {
		hint = ": want " + config.OneOf(names(table))
	}
	return 0, fieldErr(field, "unknown %s %s%s", what, config.Quote(name), hint)
}

// lookUpFlags returns the numbers of a list of names, or'ed.
func lookUpFlags[T ~string](field, what string, list []T, table []number) (flags uint64, err error) {
	for i, name := range list {
		flag, err := lookUp(index(field, i), what, string(name), table)
		if err != nil {
			return 0, err
		}
		flags |= flag
	}
	return flags, nil
}
