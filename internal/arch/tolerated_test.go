package arch

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// toleratedFile lists the system calls of the stub whose failure is tolerated.
const toleratedFile = "testdata/tolerated.txt"

// TestToleratedErrnos compares the calls of the stub that may fail with a list of
// place, call, errnos and reason, so that a review shows new ones. No call tolerates
// every errno, and each has its reason in a comment.
func TestToleratedErrnos(t *testing.T) {
	var lines []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		found, err := toleratedIn(t, path)
		lines = append(lines, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines, "\n") + "\n"
	if *updateGolden {
		if err := os.WriteFile(toleratedFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(toleratedFile)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not what the sources have; look at what has changed: go test ./internal/arch -run TestToleratedErrnos -update && git diff", toleratedFile)
	}
}

// errnoName matches the required form of a tolerated errno.
var errnoName = regexp.MustCompile(`^unix\.E[A-Z0-9]+$`)

// toleratedIn describes the tolerated failures of one file.
func toleratedIn(t *testing.T, path string) (lines []string, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	reasons := commentsByLine(fset, file)
	name := strings.TrimPrefix(path, root+"/")
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, method := tolerating(n)
			if call == nil {
				return true
			}
			end := fset.Position(call.End()).Line
			reason := reasons[end]
			if reason == "" {
				reason = reasons[fset.Position(call.Pos()).Line-1]
			}
			if reason == "" {
				t.Errorf("%s:%d: %s without a comment, on the line or before it, that says why", name, end, method.Sel.Name)
			}
			with := errnos(t, fmt.Sprintf("%s:%d", name, end), call, method)
			lines = append(lines, fmt.Sprintf("%s %s: %s: %s (%s)", name, f.Name.Name, text(fset, method.X), with, reason))
			return true
		})
	}
	return lines, nil
}

// tolerating returns a call of MayFail or Checked.
func tolerating(n ast.Node) (*ast.CallExpr, *ast.SelectorExpr) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil, nil
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != "MayFail" && method.Sel.Name != "Checked" {
		return nil, nil
	}
	return call, method
}

// errnos returns the names of the tolerated errnos.
func errnos(t *testing.T, at string, call *ast.CallExpr, method *ast.SelectorExpr) string {
	if method.Sel.Name == "Checked" {
		return "checked"
	}
	var names []string
	for _, a := range call.Args {
		name := text(token.NewFileSet(), a)
		if !errnoName.MatchString(name) || call.Ellipsis.IsValid() {
			t.Errorf("%s: MayFail of %s: want errnos by their names", at, name)
		}
		names = append(names, strings.TrimPrefix(name, "unix."))
	}
	if len(names) == 0 {
		t.Errorf("%s: MayFail tolerates every errno", at)
	}
	return strings.Join(names, " ")
}

// commentsByLine returns the last line of each comment.
func commentsByLine(fset *token.FileSet, file *ast.File) map[int]string {
	lines := map[int]string{}
	for _, group := range file.Comments {
		text := strings.Join(strings.Fields(group.Text()), " ")
		lines[fset.Position(group.End()).Line] = strings.TrimSuffix(text, ".")
	}
	return lines
}

// text returns the source of an expression, on one line.
func text(fset *token.FileSet, n ast.Node) string {
	var b strings.Builder
	if err := printer.Fprint(&b, fset, n); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
