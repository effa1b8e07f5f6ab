package main

import (
	"errors"
	"fmt"
	"testing"
)

func TestOneLine(t *testing.T) {
	denied := errors.New("operation not permitted")
	for want, err := range map[string]error{
		"a: operation not permitted":                               errors.Join(fmt.Errorf("a: %w", denied), denied),
		"operation not permitted":                                  errors.Join(denied, denied),
		"a: operation not permitted; b: operation not permitted":   errors.Join(fmt.Errorf("a: %w", denied), fmt.Errorf("b: %w", denied)),
		"operation not permitted; a: operation not permitted; end": errors.Join(denied, fmt.Errorf("a: %w", denied), errors.New("end")),
	} {
		if got := oneLine(err); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
