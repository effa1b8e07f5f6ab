package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A page that names tests is worth what the names are: docs/compat.md names
// only tests that there are.
func TestCompatNamesTestsThatExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/compat.md"))
	if err != nil {
		t.Fatal(err)
	}
	goTests := goTestNames(t)
	named := regexp.MustCompile("`([a-z-]+\\.bats): ([^`]+)`|`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		file, title, function := m[1], m[2], m[3]
		switch {
		case function != "":
			if !goTests[function] {
				t.Errorf("docs/compat.md: there is no %s", function)
			}
		case !hasBatsTest(t, file, title):
			t.Errorf("docs/compat.md: %s has no test %q", file, title)
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
