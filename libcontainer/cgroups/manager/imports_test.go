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

// The packages here are for use alone: they need little, and those of one floor
// not each other.
func TestImports(t *testing.T) {
	const self = "github.com/berth-oci/berth/libcontainer/cgroups"
	common := []string{"github.com/opencontainers/runtime-spec/specs-go", "golang.org/x/sys/unix"}
	for dir, more := range map[string][]string{
		"..":         nil,
		"../fs":      {self},
		"../fs2":     {self},
		"../devices": {self, "github.com/berth-oci/berth/internal/sys"},
		".":          {self, self + "/fs", self + "/fs2", self + "/devices"},
	} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Skipf("the source is not here: no files in %q, %v", dir, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range f.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				first, _, _ := strings.Cut(path, "/")
				if strings.Contains(first, ".") && !slices.Contains(common, path) && !slices.Contains(more, path) {
					t.Errorf("%s imports %q", name, path)
				}
			}
		}
	}
}
