package config

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// An engine relies on the list being complete.
func TestAnnotationsAreAll(t *testing.T) {
	list := Annotations()
	if !slices.IsSorted(list) {
		t.Errorf("%q: not sorted", list)
	}
	out, err := exec.Command("git", "grep", "-hoE", `"(run\.oci|org\.systemd|io\.podman)\.[a-z._]*"`, "--", "../../*.go", ":(top,exclude)*_test.go").Output()
	if err != nil {
		t.Skipf("git grep: %v", err) // not a checkout
	}
	for _, name := range strings.Fields(string(out)) {
		if name = strings.Trim(name, `"`); !slices.Contains(list, name) {
			t.Errorf("the sources use %s, and the list does not have it", name)
		}
	}
}
