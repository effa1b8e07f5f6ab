package libcontainer

import (
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// ValidateID checks a container's ID: letters, digits and "_+-.", but not "." or "..".
// The error is ErrInvalidID.
func ValidateID(id string) error { return state.ValidateID(id) }
