package specconv

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCompatTellsRefusals holds docs/compat.md to the tables: what it says is
// refused by name is refused, and the other way round.
func TestCompatTellsRefusals(t *testing.T) {
	text, err := os.ReadFile("../docs/compat.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	quoted := regexp.MustCompile("`[^`]+`")
	for _, row := range strings.Split(string(text), "\n") {
		_, cell, is := strings.Cut(row, "| refused by name: ")
		if cell, _, _ = strings.Cut(cell, " |"); is {
			for _, field := range quoted.FindAllString(cell, -1) {
				told = append(told, strings.Trim(field, "`"))
			}
		}
	}
	for _, field := range allRefused() {
		if !slices.Contains(told, field) {
			t.Errorf("docs/compat.md does not say that %s is refused by name", field)
		}
	}
	for _, field := range told {
		if !slices.Contains(allRefused(), field) {
			t.Errorf("docs/compat.md says that %s is refused by name, which it is not", field)
		}
	}
}

// allRefused returns what the tables refuse, as docs/compat.md writes it.
func allRefused() []string {
	all := slices.Concat(
		refusedFields(refusedInSpec, ""), refusedFields(refusedInHooks, "hooks."), refusedFields(refusedInProcess, "process."),
		refusedFields(refusedInLinux, "linux."), refusedFields(refusedInMount, "mounts[]."))
	for _, row := range mountOptions {
		if row.kind == optRefused {
			all = append(all, "mounts[].options: "+row.name)
		}
	}
	for _, row := range namespaceTypes {
		if row.why != "" {
			all = append(all, "linux.namespaces: "+string(row.name))
		}
	}
	return all
}

func refusedFields[T any](table []refusal[T], above string) []string {
	fields := make([]string, len(table))
	for i, row := range table {
		fields[i] = above + row.field
	}
	return fields
}
