package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	compiled "go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updateAPI = flag.Bool("update-api", false, "write testdata/api.txt")

// apiFile lists the exported symbols of the packages that are API, as the files in the
// directory api of Go's source do. A change of it is a change of the API: additions are
// compatible, lines that disappear are not (docs/api.md).
const apiFile = "testdata/api.txt"

func TestAPI(t *testing.T) {
	packages := apiPackages(t)
	now, err := apiOf(packages)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(now, "\n") + "\n"
	if *updateAPI {
		if err := os.WriteFile(apiFile, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	recorded, err := os.ReadFile(apiFile)
	if err != nil {
		t.Fatal(err)
	}
	before := strings.Split(strings.TrimSuffix(string(recorded), "\n"), "\n")
	for _, line := range difference(before, now) {
		t.Errorf("gone: %s: programs that use it do not compile any more", line)
	}
	for _, line := range difference(now, before) {
		t.Errorf("new: %s", line)
	}
	if t.Failed() {
		t.Errorf("the API has changed: see docs/api.md; go test ./internal/arch -run TestAPI -update-api writes %s", apiFile)
	}
	t.Logf("%d packages, %d symbols", len(packages), len(now))
}

// difference returns the lines that are in a and not in b.
func difference(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(line string) bool {
		_, found := slices.BinarySearch(b, line)
		return found
	})
}

// apiPackages returns the packages in the table of docs/api.md, and checks that it has all
// that can be imported.
func apiPackages(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile(root + "/docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		named = append(named, row[1])
	}
	all, err := listOnce()
	if err != nil {
		t.Fatal(err)
	}
	var public []string
	for _, p := range all {
		parts := strings.Split(p.name(), "/")
		if !slices.Contains(parts, "internal") && !slices.Contains([]string{"cmd", "examples", "tests"}, parts[0]) {
			public = append(public, p.name())
		}
	}
	slices.Sort(named)
	slices.Sort(public)
	if !slices.Equal(named, public) {
		t.Errorf("docs/api.md has the packages %q, the module has %q", named, public)
	}
	return public
}

// apiOf returns a line for each exported symbol, sorted.
func apiOf(packages []string) ([]string, error) {
	files, err := exports(packages)
	if err != nil {
		return nil, err
	}
	imports := compiled.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	var lines []string
	for _, name := range packages {
		p, err := imports.Import(module + "/" + name)
		if err != nil {
			return nil, err
		}
		for _, symbol := range p.Scope().Names() {
			if object := p.Scope().Lookup(symbol); object.Exported() {
				for _, line := range symbolLines(object) {
					lines = append(lines, "pkg "+name+", "+line)
				}
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

// exports returns the files with the compiler's export data, by package.
func exports(packages []string) (map[string]string, error) {
	list := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export")
	for _, name := range packages {
		list.Args = append(list.Args, "./"+name)
	}
	list.Dir, list.Stderr = root, os.Stderr
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0") // on every machine
	out, err := list.Output()
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		files[p.ImportPath] = p.Export
	}
}

// qualifier writes the path of a package of this module, and the path of another one.
func qualifier(p *types.Package) string { return strings.TrimPrefix(p.Path(), module+"/") }

func symbolLines(object types.Object) []string {
	text := func(t types.Type) string { return types.TypeString(t, qualifier) }
	switch o := object.(type) {
	case *types.Const:
		return []string{fmt.Sprintf("const %s %s = %s", o.Name(), text(o.Type()), o.Val().ExactString())}
	case *types.Var:
		return []string{"var " + o.Name() + " " + text(o.Type())}
	case *types.Func:
		return []string{"func " + o.Name() + strings.TrimPrefix(text(o.Type()), "func")}
	}
	// A type. The fields and methods of an alias are API under its name.
	name := "type " + object.Name()
	if alias, ok := object.Type().(*types.Alias); ok {
		name += " = " + text(alias.Rhs())
	}
	return append(typeLines(name, object.Type()), methodLines(object)...)
}

func typeLines(name string, t types.Type) (lines []string) {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		lines = append(lines, name+" struct")
		for f := range u.Fields() {
			if f.Exported() {
				lines = append(lines, name+" struct, "+f.Name()+" "+types.TypeString(f.Type(), qualifier))
			}
		}
	case *types.Interface:
		lines = append(lines, name+" interface")
		for m := range u.Methods() {
			lines = append(lines, name+" interface, "+m.Name()+strings.TrimPrefix(types.TypeString(m.Type(), qualifier), "func"))
		}
	default:
		lines = append(lines, name+" "+types.TypeString(u, qualifier))
	}
	return lines
}

// methodLines returns the methods, also those of embedded fields.
func methodLines(object types.Object) (lines []string) {
	if types.IsInterface(object.Type()) {
		return nil
	}
	values := types.NewMethodSet(object.Type())
	for m := range types.NewMethodSet(types.NewPointer(object.Type())).Methods() {
		if !m.Obj().Exported() {
			continue
		}
		receiver := "*" + object.Name()
		if values.Lookup(m.Obj().Pkg(), m.Obj().Name()) != nil {
			receiver = object.Name()
		}
		lines = append(lines, fmt.Sprintf("method (%s) %s%s", receiver, m.Obj().Name(), strings.TrimPrefix(types.TypeString(m.Type(), qualifier), "func")))
	}
	return lines
}
