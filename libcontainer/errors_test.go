package libcontainer

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// TestTextsOfErrors compares the texts that engines match with those that docs/api.md
// promises.
func TestTextsOfErrors(t *testing.T) {
	page, err := os.ReadFile("../docs/api.md")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("this host does not have the source")
	}
	if err != nil {
		t.Fatal(err)
	}
	for text, err := range map[string]error{
		"container does not exist":               ErrNotExist,
		"container with given ID already exists": ErrExist,
		"invalid container ID format":            ErrInvalidID,
		"container not running":                  ErrNotRunning,
		"container not paused":                   ErrNotPaused,
	} {
		if whole := opError("kill", "c", err); whole.Error() != `kill "c": `+text || !errors.Is(whole, err) {
			t.Errorf("%q, want %q", whole, text)
		}
		if !strings.Contains(string(page), "| `"+text+"` |") {
			t.Errorf("docs/api.md lacks %q", text)
		}
	}
}

// A cause may quote a value of config.json, which can have megabytes.
func TestErrorsAreShort(t *testing.T) {
	err := opError("create", "c", &os.PathError{Op: "open", Path: strings.Repeat("x", 1<<20), Err: os.ErrNotExist})
	if text := err.Error(); len(text) > 20<<10 || !strings.HasPrefix(text, `create "c": open xxx`) || !strings.HasSuffix(text, "xxx: "+os.ErrNotExist.Error()) {
		t.Errorf("%d bytes: %.100s", len(text), text)
	}
}
