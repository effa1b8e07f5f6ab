package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// These pages name tests as evidence; each named test must exist.
func TestPagesNameTestsThatExist(t *testing.T) {
	goTests := goTestNames(t)
	for page, atLeast := range map[string]int{"docs/compat.md": 50, "docs/security.md": 20} {
		named := namedTests(t, page)
		if len(named) < atLeast {
			t.Errorf("%s: only %d tests are named", page, len(named))
		}
		checkNamed(t, page, named, goTests)
	}
}

// namedTests returns the tests that a page names: file and title of a bats test, or a
// Go test.
func namedTests(t *testing.T, page string) [][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile("`([a-z-]+\\.bats): ([^`]+)`|`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
}

func checkNamed(t *testing.T, page string, named [][]string, goTests map[string]bool) {
	t.Helper()
	for _, m := range named {
		file, title, function := m[1], m[2], m[3]
		switch {
		case function != "":
			if !goTests[function] {
				t.Errorf("%s: there is no %s", page, function)
			}
		case !hasBatsTest(t, file, title):
			t.Errorf("%s: %s has no test %q", page, file, title)
		}
	}
}

// hasBatsTest reports whether a file of tests/integration has a test.
func hasBatsTest(t *testing.T, file, title string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "tests/integration", file))
	if err != nil {
		t.Error(err)
	}
	return strings.Contains(string(text), `@test "`+title+`" {`)
}

// goTestNames returns the Go tests of the packages of the module.
func goTestNames(t *testing.T) map[string]bool {
	t.Helper()
	packages, err := listOnce()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, p := range packages {
		files, err := filepath.Glob(filepath.Join(root, p.name(), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range function.FindAllStringSubmatch(string(text), -1) {
				names[m[1]] = true
			}
		}
	}
	return names
}
