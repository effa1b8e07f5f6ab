package ociruntime

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// warnings is a log handler that keeps the warnings of a handle, and passes all records
// on.
type warnings struct {
	*warningList
	next slog.Handler // may be nil
}

type warningList struct {
	mu    sync.Mutex
	texts []string
	known map[string]bool // of texts: a container may have a hundred thousand hooks that fail
}

func newWarnings(log *slog.Logger) *warnings {
	w := &warnings{warningList: &warningList{known: map[string]bool{}}}
	if log != nil {
		w.next = log.Handler()
	}
	return w
}

// list returns the warnings until now, each once.
func (l *warningList) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.texts)
}

// Enabled implements slog.Handler.
func (w *warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn || w.next != nil && w.next.Enabled(ctx, level)
}

// Handle implements slog.Handler.
func (w *warnings) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		w.mu.Lock()
		if !w.known[r.Message] { // exec repeats those of the container
			w.texts = append(w.texts, r.Message)
			w.known[r.Message] = true
		}
		w.mu.Unlock()
	}
	if w.next == nil || !w.next.Enabled(ctx, r.Level) {
		return nil
	}
	return w.next.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (w *warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return w.with(func(h slog.Handler) slog.Handler { return h.WithAttrs(attrs) })
}

// WithGroup implements slog.Handler.
func (w *warnings) WithGroup(name string) slog.Handler {
	return w.with(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (w *warnings) with(change func(slog.Handler) slog.Handler) slog.Handler {
	changed := *w
	if w.next != nil {
		changed.next = change(w.next)
	}
	return &changed
}
