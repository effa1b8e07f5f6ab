package arch

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/berth-oci/berth"

// layers are those of docs/architecture.md: a package imports only packages of lower
// layers. A pattern that ends in "/..." means the package and all below it.
var layers = [][]string{
	0: {"libcontainer/config", "internal/abi", "internal/sys"},
	1: {
		"libcontainer/stub",
		"internal/codec", "internal/probe", "internal/mountinfo",
		"internal/cgroups/cgroupfs",
	},
	2: {
		// One mechanism each, without knowledge of containers.
		"libcontainer/capabilities", "internal/console", "internal/copyup", "internal/criu", "internal/devices",
		"internal/hooks", "internal/idmap", "internal/intelrdt",
		"internal/lsm", "internal/mounts", "internal/namespaces", "internal/network",
		"internal/passwd", "internal/procfs", "internal/scheduling",
		"libcontainer/cgroups", "internal/cgroups/counters", "internal/cgroups/devices", "internal/cgroups/fs", "internal/cgroups/fs2",
		"seccomp", "seccomp/agent",
	},
	3: {
		"specconv",
		"internal/rootfs",
		"libcontainer/cgroups/manager", "internal/cgroups/systemd",
	},
	4: {"libcontainer/internal/state", "libcontainer/hostinfo"},
	5: {"libcontainer/internal/checkpoint", "libcontainer/internal/monitor"},
	6: {"libcontainer/internal/setup"},
	7: {"libcontainer"},
	8: {"runtime"},
	9: {"cmd/runtime"},
}

// outside are programs and tests outside the layers. They may import any layer; no
// package may import them.
var outside = []string{"examples/...", "internal/arch", "internal/gen/...", "libcontainer/stub/internal/...", "tests/..."}

// neighbours are the imports between packages of one layer that are allowed.
var neighbours = map[string]string{
	"internal/cgroups/fs -> libcontainer/cgroups":       "the interface and the types that all managers share",
	"internal/cgroups/fs2 -> libcontainer/cgroups":      "the interface and the types that all managers share",
	"internal/cgroups/counters -> libcontainer/cgroups": "the interface and the types that all managers share",
	"internal/cgroups/fs -> internal/cgroups/counters":  "v1 and v2 print these counters in the same format",
	"internal/cgroups/fs2 -> internal/cgroups/counters": "v1 and v2 print these counters in the same format",
	"internal/cgroups/fs -> internal/cgroups/devices":   "device rules are one mechanism with two backends: a v1 file and a v2 program",
	"internal/cgroups/fs2 -> internal/cgroups/devices":  "device rules are one mechanism with two backends: a v1 file and a v2 program",
}

func matches(pattern, pkg string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == base || strings.HasPrefix(pkg, base+"/")
	}
	return pkg == pattern
}

// layerOf returns the layer of a package, or -1 for one that is outside.
func layerOf(pkg string) (int, error) {
	is := func(pattern string) bool { return matches(pattern, pkg) }
	if slices.ContainsFunc(outside, is) {
		return -1, nil
	}
	for number, pkgs := range layers {
		if slices.ContainsFunc(pkgs, is) {
			return number, nil
		}
	}
	return 0, fmt.Errorf("%s has no layer: give it one in internal/arch and docs/architecture.md", pkg)
}

// checkImport returns an error if the layers forbid from to import to.
func checkImport(from, to string) error {
	upper, err := layerOf(from)
	if err != nil {
		return err
	}
	lower, err := layerOf(to)
	switch {
	case err != nil:
		return err
	case upper == -1:
		// A program outside the layers may have packages of its own.
		return nil
	case lower == -1:
		return fmt.Errorf("%s imports %s, which is outside the layers", from, to)
	case lower > upper:
		return fmt.Errorf("%s (layer %d) imports %s (layer %d): imports only go down", from, upper, to, lower)
	case lower == upper && neighbours[from+" -> "+to] == "":
		return fmt.Errorf("%s imports %s: packages of one layer (%d) do not import each other", from, to, upper)
	}
	return nil
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range packages(t) {
		if _, err := layerOf(p.name()); err != nil {
			t.Error(err)
			continue
		}
		for _, imported := range p.Imports {
			name, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			if err := checkImport(p.name(), name); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestCheckImport(t *testing.T) {
	for _, test := range []struct {
		from, to string
		ok       bool
	}{
		{"cmd/runtime", "runtime", true},
		{"runtime", "libcontainer/config", true},
		{"libcontainer/config", "libcontainer/stub", false},
		{"internal/mounts", "internal/devices", false},
		{"internal/cgroups/fs", "libcontainer/cgroups", true},
		{"libcontainer/cgroups", "internal/cgroups/fs", false},
		{"internal/rootfs", "specconv", false},
		{"libcontainer", "runtime", false},
		{"tests/bench", "runtime", true},
		{"runtime", "tests/bench", false},
		{"runtime", "internal/nowhere", false},
	} {
		if err := checkImport(test.from, test.to); (err == nil) != test.ok {
			t.Errorf("%s -> %s: %v", test.from, test.to, err)
		}
	}
}

// pageRow is a row of the table in docs/architecture.md: a layer, empty for the
// one above, and its packages.
var pageRow = regexp.MustCompile("(?m)^\\| *([0-9]?) *\\| (`.*?`) \\|")

// pageLayers returns the layers as docs/architecture.md has them.
func pageLayers(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs/architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	pkgs := make([][]string, len(layers))
	layer := 0
	for _, row := range pageRow.FindAllStringSubmatch(string(text), -1) {
		if row[1] != "" {
			layer = int(row[1][0] - '0')
		}
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[2], -1) {
			base, list, braces := strings.Cut(strings.TrimSuffix(name[1], "}"), "{")
			if !braces {
				list = ""
			}
			for pkg := range strings.SplitSeq(list, ",") {
				pkgs[layer] = append(pkgs[layer], base+pkg)
			}
		}
	}
	return pkgs
}

// The layers here, those of docs/architecture.md and the packages are the same.
func TestLayersAreThoseOfThePage(t *testing.T) {
	all := packages(t)
	drawn := pageLayers(t)
	for number, pkgs := range layers {
		for _, pkg := range pkgs {
			if !slices.ContainsFunc(all, func(p listed) bool { return p.name() == pkg }) {
				t.Errorf("layer %d: no package %s", number, pkg)
			}
		}
		if want, got := slices.Sorted(slices.Values(pkgs)), slices.Sorted(slices.Values(drawn[number])); !slices.Equal(got, want) {
			t.Errorf("layer %d of docs/architecture.md has %q, want %q", number, got, want)
		}
	}
}

func TestNoPackageWithoutPurpose(t *testing.T) {
	for _, p := range packages(t) {
		switch base := path.Base(p.ImportPath); base {
		case "common", "helpers", "linux", "misc", "system", "util", "utils":
			t.Errorf("%s: a package called %s has a name that says no purpose", p.ImportPath, base)
		}
	}
}

// soleImporters are modules with the only package that may import each.
var soleImporters = map[string]string{
	"github.com/godbus/dbus/v5": "internal/cgroups/systemd", // importers of cgroups alone need no D-Bus
}

func TestModulesWithOneImporter(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			if importer := soleImporters[imported]; importer != "" && p.name() != importer {
				t.Errorf("%s imports %s, which is for %s", p.name(), imported, importer)
			}
		}
	}
}
