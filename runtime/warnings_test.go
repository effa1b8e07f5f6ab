package ociruntime

import (
	"fmt"
	"log/slog"
	"testing"
	"time"
)

// A container may have a hundred thousand poststop hooks that fail. The bound is for a busy
// machine: a comparison with all warnings before takes a minute.
func TestManyWarnings(t *testing.T) {
	const n = 100_000
	w := newWarnings(nil)
	log := slog.New(w)
	began := time.Now()
	for range 2 {
		for i := range n {
			log.Warn(fmt.Sprint("hook ", i+n))
		}
	}
	if list := w.list(); len(list) != n || list[1] != "hook 100001" {
		t.Errorf("%d warnings", len(list))
	}
	if d := time.Since(began); d > 20*time.Second {
		t.Error(d)
	}
}
