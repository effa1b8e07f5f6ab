package setup

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A bundle that has been removed is no error, another failure of stat(2) is one.
func TestDirectoryOfAHook(t *testing.T) {
	hook := &specs.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", `test "$PWD" = "$0"`, ""}}
	dir := t.TempDir()
	for _, test := range []struct {
		bundle, want string
		err          error
	}{
		{dir, dir, nil},
		{filepath.Join(dir, "removed"), "/", nil},
		{"/" + strings.Repeat("x", 5000), "", unix.ENAMETOOLONG},
	} {
		hook.Args[3] = test.want
		err := runOnHost(t.Context(), hook, specs.State{Bundle: test.bundle}, hookOutput{})
		if !errors.Is(err, test.err) {
			t.Errorf("%.20s: %v", test.bundle, err)
		}
	}
}
