package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
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
	// It compares each line with all others.
	var lines []error
	for i := range 1 << 16 {
		lines = append(lines, fmt.Errorf("line %d", i))
	}
	if got := oneLine(errors.Join(lines...)); len(got) > 20<<10 {
		t.Errorf("%d bytes", len(got))
	}
}

// A message may have a value of config.json, of megabytes: engines keep it.
func TestMessagesAreShort(t *testing.T) {
	var out strings.Builder
	a := app{log: slog.New(newHandler(&out, "json", slog.LevelInfo))}
	a.report(fmt.Errorf("%q: %w", strings.Repeat("x", 1<<20), fs.ErrNotExist))
	a.log.Warn(strings.Repeat("y", 1<<20))
	if out.Len() > 40<<10 || !strings.Contains(out.String(), "file does not exist") {
		t.Errorf("%d bytes: %.300s", out.Len(), out.String())
	}
}
