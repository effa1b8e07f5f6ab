package setup

import (
	"slices"
	"strings"
	"testing"
)

func TestSearchPath(t *testing.T) {
	for _, test := range []struct {
		name, path string
		first      []string
		places     int
		rest       int
	}{
		{"sh", "/bin:/usr/bin/::x", []string{"/bin/sh", "/usr/bin/sh", "./sh", "x/sh"}, 4, 0},
		// config.json can have 16 MiB of each.
		{"sh", strings.Repeat(":", 1<<20), []string{"./sh"}, placesMost, 1<<20 + 1 - placesMost},
		{strings.Repeat("x", 256), "/bin", nil, 0, 0},
	} {
		places, rest := searchPath(test.name, []string{"A=b", "PATH=" + test.path})
		if !slices.Equal(places[:len(test.first)], test.first) || len(places) != test.places || rest != test.rest {
			t.Errorf("%.20s in %.20s: %d places and %d more: %.200q", test.name, test.path, len(places), rest, places)
		}
	}
}
