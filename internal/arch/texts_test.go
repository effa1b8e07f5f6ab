package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The texts in which TestWords counts. Each unit (a literal, a comment, a title, a
// page) becomes one line, so that a line break does not hide two words.

// A textReader reads one text, by the name that its bounds have.
type textReader struct {
	place string
	read  func() (string, error)
}

// goAreas are directories of Go code whose texts are counted together. Code moves
// between libcontainer and internal, so they are one.
var goAreas = []struct {
	name string
	dirs []string
}{
	{"cmd/runtime", []string{"cmd/runtime"}},
	{"runtime", []string{"runtime"}},
	{"libcontainer, internal", []string{"libcontainer", "internal"}},
	{"specconv", []string{"specconv"}},
	{"seccomp", []string{"seccomp"}},
	{"tests", []string{"tests"}},
}

var readers = allReaders()

func allReaders() []textReader {
	var all []textReader
	for _, kind := range []struct {
		name string
		of   func(goFile) []string
	}{{"strings", goFile.literals}, {"comments", goFile.comments}, {"names", goFile.names}} {
		for _, area := range goAreas {
			all = append(all, textReader{kind.name + " of " + area.name, func() (string, error) {
				return goTexts(kind.of, area.dirs...)
			}})
		}
	}
	return append(all,
		textReader{"titles of bats", func() (string, error) { return matchesOf(isBats, batsTitle, "tests") }},
		textReader{"names of bats and bash", func() (string, error) { return matchesOf(isScript, bashFunction, "tests", "hack") }},
		textReader{"comments of scripts", func() (string, error) {
			return matchesOf(isScript, hashComment, "tests", "hack", ".ci", ".github", "Makefile", ".golangci.yml")
		}},
		textReader{"man page", func() (string, error) { return pageTexts("docs/man/*.8", "shim/cmd/*/*.8") }},
		textReader{"CHANGELOG", func() (string, error) { return pageTexts("CHANGELOG.md") }},
		textReader{"README and docs", func() (string, error) {
			return pageTexts("[^C]*.md", "C[^H]*.md", "docs/*.md", "tests/*/*.md", ".github/*.md", ".github/*/*.md")
		}},
	)
}

// files returns the files below directories of the checkout that a condition holds for.
func files(wanted func(path string) bool, dirs ...string) ([]string, error) {
	var all []string
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() && wanted(path) {
				all = append(all, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// goFile is a parsed file.
type goFile struct {
	*ast.File
	isTest bool
}

// isGo leaves out the file that consists of the unwanted words.
func isGo(path string) bool {
	return filepath.Ext(path) == ".go" && filepath.Base(path) != "words_test.go"
}

// goTexts returns the texts of one kind of the Go files below directories, a line each.
func goTexts(of func(goFile) []string, dirs ...string) (string, error) {
	paths, err := files(isGo, dirs...)
	if err != nil {
		return "", err
	}
	var all []string
	for _, path := range paths {
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return "", err
		}
		all = append(all, of(goFile{parsed, strings.HasSuffix(path, "_test.go")})...)
	}
	return lines(all), nil
}

// lines joins units, each without its line breaks.
func lines(units []string) string {
	for i, unit := range units {
		units[i] = strings.Join(strings.Fields(unit), " ")
	}
	return strings.Join(units, "\n")
}

// literals are the strings of a file that is no test: messages, step names, reasons, help texts.
func (f goFile) literals() []string {
	if f.isTest {
		return nil
	}
	var all []string
	ast.Inspect(f.File, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				all = append(all, text)
			}
		}
		return true
	})
	return all
}

func (f goFile) comments() []string {
	var all []string
	for _, group := range f.Comments {
		all = append(all, group.Text())
	}
	return all
}

// names are the identifiers of a file as words, each once.
func (f goFile) names() []string {
	var all []string
	ast.Inspect(f.File, func(n ast.Node) bool {
		if ident, ok := n.(*ast.Ident); ok {
			all = append(all, words(ident.Name))
		}
		return true
	})
	slices.Sort(all)
	return slices.Compact(all)
}

var hump = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// words splits a name: "isNone" is "is none".
func words(name string) string {
	return strings.ReplaceAll(hump.ReplaceAllString(name, "$1 $2"), "_", " ")
}

var (
	batsTitle    = regexp.MustCompile(`(?m)^@test "(.*)" \{$`)
	bashFunction = regexp.MustCompile(`(?m)^(\w+)\(\) *[{(]`)
	hashComment  = regexp.MustCompile(`(?m)(?:^|[\t ])#+ (.*)$`)
)

func isBats(path string) bool { return filepath.Ext(path) == ".bats" }

// isScript leaves out what another test or no person writes.
func isScript(path string) bool {
	return !slices.Contains([]string{".go", ".md", ".golden", ".s", ".S"}, filepath.Ext(path))
}

// matchesOf returns the first group of each match in files, a line each; names as words.
func matchesOf(wanted func(string) bool, pattern *regexp.Regexp, dirs ...string) (string, error) {
	paths, err := files(wanted, dirs...)
	if err != nil {
		return "", err
	}
	var all []string
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		for _, m := range pattern.FindAllSubmatch(text, -1) {
			all = append(all, string(m[1]))
		}
	}
	if pattern == bashFunction {
		for i := range all {
			all[i] = words(all[i])
		}
	}
	return lines(all), nil
}

var (
	fence      = regexp.MustCompile("(?ms)^```.*?^```")
	codeSpan   = regexp.MustCompile("`[^`\n]*`")
	paragraphs = regexp.MustCompile(`\n\n+|\n[|#-]`)
)

// pageTexts returns the paragraphs of pages, without code blocks, code and test titles,
// which are in `marks`.
func pageTexts(patterns ...string) (string, error) {
	var all []string
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return "", err
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				return "", err
			}
			plain := codeSpan.ReplaceAllString(fence.ReplaceAllString(string(text), ""), "CODE")
			all = append(all, paragraphs.Split(plain, -1)...)
		}
	}
	return lines(all), nil
}

func TestNamesAreReadAsWords(t *testing.T) {
	for name, want := range map[string]string{"isNone": "is None", "wait_for": "wait for", "LISTEN": "LISTEN"} {
		if got := words(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
