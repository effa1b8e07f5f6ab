package specconv

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
)

// TestCompatNamesRefusals compares docs/compat.md with Convert: both must have
// the same fields that are refused by name.
func TestCompatNamesRefusals(t *testing.T) {
	text, err := os.ReadFile("../docs/compat.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	quoted := regexp.MustCompile("`[^`]+`")
	for _, row := range strings.Split(string(text), "\n") {
		_, cell, is := strings.Cut(row, "| refused by name: ")
		if cell, _, _ = strings.Cut(cell, " |"); is {
			for _, field := range quoted.FindAllString(cell, -1) {
				documented = append(documented, strings.Trim(field, "`"))
			}
		}
	}
	refused := allRefused(newSchemas(t))
	for _, field := range refused {
		if !slices.Contains(documented, field) {
			t.Errorf("docs/compat.md does not say that %s is refused by name", field)
		}
	}
	for _, field := range documented {
		if !slices.Contains(refused, field) {
			t.Errorf("docs/compat.md says that %s is refused by name, which it is not", field)
		}
	}
}

// allRefused tries every field, namespace and mount option of the
// specification, and returns those that are refused by name, as docs/compat.md
// writes them.
func allRefused(s *schemas) (all []string) {
	note := func(p *place, value any, suffix string) {
		if field := s.refusedWith(p, value); field != "" {
			all = append(all, strings.ReplaceAll(field, "[0]", "[]")+suffix)
		}
	}
	for _, p := range s.places(&place{schema: s.at("config-schema.json")})[1:] {
		switch p.String() {
		case "linux.namespaces":
			for _, name := range s.at("defs-linux.json#/definitions/NamespaceType").Enum {
				note(p, []any{map[string]any{"type": name}, map[string]any{"type": "mount"}}, ": "+name)
			}
		case "mounts":
			for _, option := range specOptions {
				mount := map[string]any{"destination": "/d", "type": "tmpfs", "options": []any{option.name}}
				note(p, []any{mount}, ": "+option.name)
			}
		default:
			note(p, s.least(p.schema), "")
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// refusedWith returns the field that is refused by name for a value in the
// default configuration.
func (s *schemas) refusedWith(p *place, value any) string {
	text, err := json.Marshal(Default(DefaultOptions{}))
	if err != nil {
		s.t.Fatal(err)
	}
	whole := decodeAny(s.t, string(text))
	p.put(s, whole, value)
	if text, err = json.Marshal(whole); err != nil {
		s.t.Fatal(err)
	}
	_, err = convertText(text)
	var field *config.FieldError
	if !errors.As(err, &field) || !strings.Contains(err.Error(), linuxOnly) {
		return ""
	}
	return strings.TrimSuffix(strings.TrimSuffix(field.Field, ".type"), "[0]") // of a namespace
}
