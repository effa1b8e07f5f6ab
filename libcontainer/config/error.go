package config

import (
	"errors"
	"fmt"
)

// ErrInvalid is what errors.Is finds in every error about the content of a
// config.json.
var ErrInvalid = errors.New("invalid config.json")

// FieldError is an error that points at one field of config.json.
type FieldError struct {
	// Field is a path in the style of "mounts[3].options[1]"; it is empty in
	// an error about the file as a whole.
	Field string
	Err   error
}

// FieldErrorf makes an error about one field of config.json; the cause is as
// fmt.Errorf makes it.
func FieldErrorf(field, format string, args ...any) error {
	return &FieldError{Field: field, Err: fmt.Errorf(format, args...)}
}

// Error gives "FIELD: CAUSE", or the cause alone where there is no field.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Err.Error()
	}
	return e.Field + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// Is makes every FieldError an ErrInvalid.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// Below puts the field of an error below another: Below("linux", …) makes
// "linux.x" of "x". Other errors stay as they are.
func Below(field string, err error) error {
	var known *FieldError
	if !errors.As(err, &known) {
		return err
	}
	if known.Field != "" {
		field += "." + known.Field
	}
	return &FieldError{Field: field, Err: known.Err}
}
