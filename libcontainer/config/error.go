package config

import (
	"errors"
	"fmt"
)

// ErrInvalid matches every error about the content of a config.json, by
// errors.Is.
var ErrInvalid = errors.New("invalid config.json")

// FieldError is an error about one field of config.json.
type FieldError struct {
	// Field is a path such as "mounts[3].options[1]"; empty in an error about
	// the whole file.
	Field string
	Err   error
}

// FieldErrorf returns an error about one field of config.json, with a cause
// made by fmt.Errorf.
func FieldErrorf(field, format string, args ...any) error {
	return &FieldError{Field: field, Err: fmt.Errorf(format, args...)}
}

// Error returns "FIELD: CAUSE", or the cause alone if Field is empty.
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Err.Error()
	}
	return e.Field + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *FieldError) Unwrap() error { return e.Err }

// Is makes every FieldError match ErrInvalid.
func (e *FieldError) Is(target error) bool { return target == ErrInvalid }

// InField returns an error that is a FieldError to errors.As, and has the text of err,
// which names the field or a part of it.
func InField(field string, err error) error {
	if err == nil {
		return nil
	}
	return &fieldOf{field, err}
}

type fieldOf struct {
	field string
	err   error
}

func (e *fieldOf) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *fieldOf) Unwrap() error { return e.err }

// Is makes it match ErrInvalid.
func (e *fieldOf) Is(target error) bool { return target == ErrInvalid }

// As makes it a FieldError.
func (e *fieldOf) As(target any) bool {
	known, ok := target.(**FieldError)
	if ok {
		*known = &FieldError{Field: e.field, Err: e.err}
	}
	return ok
}

// Below puts the field of an error below another: Below("linux", …) makes
// "linux.x" of "x". It returns other errors unchanged.
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
