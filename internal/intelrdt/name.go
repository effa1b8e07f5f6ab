package intelrdt

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

const nameMax = 255 // NAME_MAX (linux/limits.h)

// reserved are the other directories in the root directory.
var reserved = []string{"info", "mon_data", "mon_groups"}

// CheckName refuses names that cannot be a group's or lead out of the file
// system.
func CheckName(name string) error {
	switch {
	case name == "" || name == "." || name == ".." || len(name) > nameMax || strings.ContainsAny(name, "/\n\x00"):
		return fmt.Errorf(`%s: not the name of a directory in the resctrl file system ("/" alone is the default group)`, config.Quote(name))
	case slices.Contains(reserved, name):
		return fmt.Errorf("%q: the resctrl file system reserves this name", name)
	}
	return nil
}
