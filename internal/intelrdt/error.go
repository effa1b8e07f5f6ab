package intelrdt

import (
	"errors"

	"github.com/berth-oci/berth/libcontainer/config"
)

// FieldError returns an error as one of the field linux.intelRdt, unless it names
// its field.
func FieldError(err error) error {
	var field *config.FieldError
	if err == nil || errors.As(err, &field) {
		return err
	}
	return &config.FieldError{Field: "linux.intelRdt", Err: err}
}
