package state

import (
	"fmt"
	"strings"
)

const idLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-."

// ValidateID checks a container's ID: letters, digits and "_+-.", but not "." or "..".
// The error is ErrInvalidID.
func ValidateID(id string) error {
	switch {
	case id == "":
		return fmt.Errorf("container id cannot be empty: %w", ErrInvalidID)
	case id == "." || id == "..":
		return fmt.Errorf("%w: %q (allowed are letters, digits and _ + - .)", ErrInvalidID, id)
	}
	for i := range len(id) {
		if strings.IndexByte(idLetters, id[i]) < 0 {
			return fmt.Errorf("%w: %q (allowed are letters, digits and _ + - .)", ErrInvalidID, id)
		}
	}
	return nil
}
