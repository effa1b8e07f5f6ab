package arch

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// portable are the packages, with what they import, that other systems than Linux have
// too: they check and convert, and make no container.
var portable = []string{"./specconv", "./seccomp", "./libcontainer/capabilities", "./libcontainer/cgroups", "./libcontainer/config", "./internal/idmap"}

// all are the packages for every architecture of Linux; tests/faults reads registers.
var all = []string{"./cmd/...", "./examples/...", "./internal/...", "./libcontainer/...", "./runtime/...", "./seccomp/...", "./specconv/..."}

// builds are the systems and architectures that compile, and their packages. On those
// without a stub Create returns an error.
var builds = map[string][]string{
	"linux/386": all, "linux/amd64": all, "linux/arm": all, "linux/arm64": all,
	"linux/loong64": all, "linux/mips": all, "linux/mips64": all, "linux/mips64le": all,
	"linux/mipsle": all, "linux/ppc64": all, "linux/ppc64le": all, "linux/riscv64": all,
	"linux/s390x": all, "darwin/amd64": portable, "darwin/arm64": portable, "windows/amd64": portable, "windows/arm64": portable,
}

// usual are the builds of a test without BERTH_ALL_BUILDS, which hack/lint sets: one with
// 32 bits, and one of another system.
var usual = []string{"linux/386", "windows/amd64"}

// TestBuilds checks the types of all packages for each system and architecture: the
// errors of the compiler, in seconds instead of the minutes that the standard library
// takes for each.
func TestBuilds(t *testing.T) {
	for target, packages := range builds {
		if os.Getenv("BERTH_ALL_BUILDS") == "" && !slices.Contains(usual, target) {
			continue
		}
		t.Run(strings.ReplaceAll(target, "/", "-"), func(t *testing.T) {
			t.Parallel()
			checkBuild(t, target, packages)
		})
	}
}

// goPackage is a package in the output of go list.
type goPackage struct {
	Dir, ImportPath string
	GoFiles, SFiles []string
	ImportMap       map[string]string
	Standard        bool
	Module          *struct{ Main bool }
	Error           *struct{ Err string }
}

func checkBuild(t *testing.T, target string, packages []string) {
	system, architecture, _ := strings.Cut(target, "/")
	list := exec.Command("go", append([]string{"list", "-e", "-deps", "-json=Dir,ImportPath,GoFiles,SFiles,ImportMap,Standard,Module,Error"}, packages...)...)
	list.Dir, list.Stderr = root, os.Stderr
	list.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+architecture, "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]*types.Package{"unsafe": types.Unsafe}
	files := token.NewFileSet()
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		p := new(goPackage)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Error != nil {
			t.Error(p.Error.Err)
			return
		}
		if p.ImportPath != "unsafe" {
			checked[p.ImportPath] = p.check(t, files, architecture, checked)
		}
	}
}

// check checks the types of a package, after those that it imports; of the standard
// library and of other modules without the bodies of functions.
func (p *goPackage) check(t *testing.T, files *token.FileSet, architecture string, checked map[string]*types.Package) *types.Package {
	own := p.Module != nil && p.Module.Main
	mode := parser.SkipObjectResolution
	var parsed []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, mode)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && own && f.Body == nil && len(p.SFiles) == 0 {
				t.Errorf("%s: %s has no body on this architecture", p.ImportPath, f.Name)
			}
		}
		parsed = append(parsed, f)
	}
	config := types.Config{
		FakeImportC: true, IgnoreFuncBodies: !own, Sizes: types.SizesFor("gc", architecture),
		Error: func(err error) {
			if own {
				t.Error(err)
			}
		},
		Importer: importer(func(path string) (*types.Package, error) {
			if mapped := p.ImportMap[path]; mapped != "" {
				path = mapped
			}
			if known := checked[path]; known != nil {
				return known, nil
			}
			return nil, errors.New("not listed: " + path)
		}),
	}
	pkg, _ := config.Check(p.ImportPath, files, parsed, nil) // Error reports it
	return pkg
}

type importer func(path string) (*types.Package, error)

func (i importer) Import(path string) (*types.Package, error) { return i(path) }

// leaves are packages that other programs import alone. They must not bring in package net:
// it makes a program larger, and its resolver uses cgo.
var leaves = []string{"./seccomp", "./specconv", "./libcontainer/capabilities", "./libcontainer/cgroups/manager", "./libcontainer/stub"}

func TestLeavesWithoutNet(t *testing.T) {
	for _, leaf := range leaves {
		out, err := goOutput("list", "-deps", leaf)
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if !slices.Contains(deps, "golang.org/x/sys/unix") || slices.Contains(deps, "net") {
			t.Errorf("%s imports package net: %t, unix: %t", leaf, slices.Contains(deps, "net"), slices.Contains(deps, "golang.org/x/sys/unix"))
		}
	}
}
