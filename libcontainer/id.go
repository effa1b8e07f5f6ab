package libcontainer

import (
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// ValidateID checks the form of a container's ID: letters, digits and "_+-.",
// but neither "." nor "..". The error is ErrInvalidID.
func ValidateID(id string) error { return state.ValidateID(id) }
