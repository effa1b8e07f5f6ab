package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/berth-oci/berth/libcontainer/config"
)

// handler writes records in runc's formats, which engines parse. JSON has its keys in
// alphabetical order (level, msg, time); text has time, level, msg, then the others.
type handler struct {
	w     io.Writer
	json  bool
	level slog.Level
	attrs []slog.Attr
	start time.Time // debug records have the milliseconds since start
}

func newHandler(w io.Writer, format string, level slog.Level) *handler {
	return &handler{w: w, json: format == "json", level: level, start: time.Now()}
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append(slices.Clone(h.attrs), attrs...)
	return &c
}

// WithGroup implements slog.Handler; berth's records have no groups.
func (h *handler) WithGroup(string) slog.Handler { return h }

// Handle implements slog.Handler. Each record takes one write(2), as several processes
// may append to one file.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	attrs := slices.Clone(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	when := r.Time.UTC().Format(time.RFC3339)
	r.Message = config.Brief(r.Message)
	line, err := h.text(when, r, attrs), error(nil)
	if h.json {
		line, err = h.object(when, r, attrs)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(h.w, line+"\n")
	return err
}

func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warning"
	case l >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}

func (h *handler) object(when string, r slog.Record, attrs []slog.Attr) (string, error) {
	record := map[string]string{}
	for _, a := range attrs {
		record[a.Key] = a.Value.String()
	}
	record["level"], record["msg"], record["time"] = levelName(r.Level), r.Message, when
	if r.Level < slog.LevelInfo {
		record["ms"] = h.since(r)
	}
	b, err := json.Marshal(record) // sorts the keys
	return string(b), err
}

func (h *handler) text(when string, r slog.Record, attrs []slog.Attr) string {
	var b strings.Builder
	fmt.Fprintf(&b, "time=%q level=%s", when, levelName(r.Level))
	if r.Level < slog.LevelInfo {
		fmt.Fprintf(&b, " ms=%s", h.since(r))
	}
	fmt.Fprintf(&b, " msg=%s", quote(r.Message))
	for _, a := range attrs {
		fmt.Fprintf(&b, " %s=%s", a.Key, quote(a.Value.String()))
	}
	return b.String()
}

// since returns the milliseconds from the start of the command to a record.
func (h *handler) since(r slog.Record) string {
	return strconv.FormatFloat(r.Time.Sub(h.start).Seconds()*1000, 'f', 3, 64)
}

// quote quotes a value unless it is a plain word.
func quote(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+"
	if s == "" || strings.ContainsFunc(s, func(c rune) bool { return !strings.ContainsRune(plain, c) }) {
		return strconv.Quote(s)
	}
	return s
}
