package criu

import (
	"errors"
	"fmt"
	"strings"

	"github.com/berth-oci/berth/internal/sys"
)

// ErrEnded means that CRIU was killed, or has crashed: it has not undone its work.
var ErrEnded = errors.New("CRIU ended without a reply")

// Error is a request that CRIU has failed.
type Error struct {
	Kind  Kind
	Ended error // ErrEnded with what CRIU has printed, or nil
	Errno int   // 0 if CRIU does not name one
	// Message is CRIU's first error; may be empty.
	Message string
	// Log is the path of CRIU's log; may be empty.
	Log string
}

// Error begins like runc's message, which users look for.
func (e *Error) Error() string {
	text := fmt.Sprintf("criu failed: type %s errno %d", e.Kind, e.Errno)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Ended != nil {
		text += ": " + e.Ended.Error()
	}
	if e.Log != "" {
		text += " (log file: " + e.Log + ")"
	}
	return text
}

// Unwrap returns ErrEnded if CRIU has not replied.
func (e *Error) Unwrap() error { return e.Ended }

// maxLog is the limit for a log, in bytes, of which the first error is searched for.
const maxLog = 64 << 20

// Explain completes the error with the first error in the log at path. The message in a
// reply is only that of CRIU's main process.
func (e *Error) Explain(path string) {
	log, err := sys.ReadAtMost(path, maxLog)
	if err != nil {
		return // CRIU has failed before it opened the log
	}
	e.Log = path
	if first := firstError(string(log)); first != "" {
		e.Message = first
	}
}

// harmless is an error that CRIU logs and ignores: it wants more descriptors than it may
// have without CAP_SYS_RESOURCE.
const harmless = "Can't setup RLIMIT_NOFILE"

// firstError returns the first error of a log: "(FILE:LINE): TEXT".
func firstError(log string) string {
	for line := range strings.Lines(log) {
		_, text, found := strings.Cut(line, "Error (")
		if found && !strings.Contains(text, harmless) {
			return "(" + strings.TrimSpace(text)
		}
	}
	return ""
}
