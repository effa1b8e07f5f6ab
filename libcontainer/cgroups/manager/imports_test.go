package manager

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Importers use this package without the rest of berth, and without D-Bus.
func TestImports(t *testing.T) {
	if _, err := os.Stat("manager.go"); err != nil {
		t.Skipf("this host does not have the source: %v", err)
	}
	const berth = "github.com/berth-oci/berth/"
	dirs := []string{
		"libcontainer/cgroups", "libcontainer/cgroups/manager",
		"internal/cgroups/cgroupfs", "internal/cgroups/counters", "internal/cgroups/devices", "internal/cgroups/fs", "internal/cgroups/fs2",
	}
	allowed := []string{
		"github.com/opencontainers/runtime-spec/specs-go", "golang.org/x/sys/unix",
		berth + "internal/sys", berth + "libcontainer/config", // both import nothing else of berth
	}
	for _, dir := range dirs {
		allowed = append(allowed, berth+dir)
	}
	for _, dir := range dirs {
		names, err := filepath.Glob("../../../" + dir + "/*.go")
		if err != nil || len(names) == 0 {
			t.Fatalf("no files in %q: %v", dir, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			for _, path := range imports(t, name) {
				first, _, _ := strings.Cut(path, "/")
				if strings.Contains(first, ".") && !slices.Contains(allowed, path) {
					t.Errorf("%s imports %q", name, path)
				}
			}
		}
	}
}

// imports returns the paths that a Go file imports.
func imports(t *testing.T, name string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
