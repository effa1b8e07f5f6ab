package specconv

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// schema is a JSON schema, as far as the specification's schemas need it.
type schema struct {
	Ref                  string             `json:"$ref"`
	Type                 string             `json:"type"`
	Properties           map[string]*schema `json:"properties"`
	PatternProperties    map[string]*schema `json:"patternProperties"`
	AdditionalProperties *schema            `json:"additionalProperties"`
	Items                *schema            `json:"items"`
	AllOf                []*schema          `json:"allOf"`
	AnyOf                []*schema          `json:"anyOf"`
	Required             []string           `json:"required"`
	Enum                 []string           `json:"enum"`
	Pattern              string             `json:"pattern"`
	Minimum              *json.Number       `json:"minimum"`
	Maximum              *json.Number       `json:"maximum"`
	MinItems             int                `json:"minItems"`
}

// otherPlatform is the type of a section that is refused with any content.
const otherPlatform = "object of another platform"

// schemas reads the files that the specification's module ships.
type schemas struct {
	t   *testing.T
	dir string
}

// newSchemas finds them, and skips the test on a host that only has the test's
// binary.
func newSchemas(t *testing.T) *schemas {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/opencontainers/runtime-spec").Output()
	if err != nil {
		t.Skipf("the module of the specification cannot be found: go list: %v", err)
	}
	return &schemas{t, filepath.Join(strings.TrimSpace(string(out)), "schema")}
}

// at reads the target of a reference such as "defs.json#/definitions/Hook".
func (s *schemas) at(ref string) *schema {
	file, pointer, _ := strings.Cut(ref, "#")
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		s.t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte(`"$ref": "#`), []byte(`"$ref": "`+file+"#"))
	for _, key := range strings.FieldsFunc(pointer, func(c rune) bool { return c == '/' }) {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil {
			s.t.Fatalf("%s: %v", ref, err)
		}
		text = members[key]
	}
	found := new(schema)
	if err := json.Unmarshal(text, found); err != nil {
		s.t.Fatalf("%s: %v", ref, err)
	}
	return s.resolve(found)
}

// resolve follows a reference and merges a schema in parts.
func (s *schemas) resolve(n *schema) *schema {
	if n.Ref != "" {
		return s.at(n.Ref)
	}
	if len(n.AnyOf) > 0 {
		return s.resolve(n.AnyOf[0])
	}
	for _, part := range n.AllOf {
		part = s.resolve(part)
		n.Type = part.Type
		if n.Properties == nil {
			n.Properties = map[string]*schema{}
		}
		maps.Copy(n.Properties, part.Properties)
		n.Required = append(n.Required, part.Required...)
	}
	n.AllOf = nil
	return n
}

// place is a place in a config.json, with its schema.
type place struct {
	up  *place // nil for the whole
	key any    // string or int
	*schema
}

func (p *place) String() string {
	if p.up == nil {
		return ""
	}
	if i, ok := p.key.(int); ok {
		return p.up.String() + pathStep(nil, i)
	}
	return strings.TrimPrefix(p.up.String()+pathStep(p.key, 0), ".")
}

// places returns a place and all places in it. Of a map it takes the key in the
// context, or "k".
func (s *schemas) places(p *place) []*place {
	all := []*place{p}
	below := func(key any, n *schema) { all = append(all, s.places(&place{p, key, s.resolve(n)})...) }
	for _, key := range slices.Sorted(maps.Keys(p.Properties)) {
		if p.up == nil && refuses(refusedInSpec, key) {
			all = append(all, &place{p, key, &schema{Type: otherPlatform}})
			continue
		}
		below(key, p.Properties[key])
	}
	for _, n := range append(slices.Collect(maps.Values(p.PatternProperties)), p.AdditionalProperties) {
		if n == nil {
			continue
		}
		keys := []string{"k"}
		if have, ok := p.in(contextOf(s.t, p)).(map[string]any); ok && len(have) > 0 {
			keys = slices.Sorted(maps.Keys(have))
		}
		below(keys[0], n)
	}
	if p.Items != nil {
		below(0, p.Items)
	}
	return all
}

// in returns the value at a place of a configuration, nil if it does not exist.
func (p *place) in(config any) any {
	if p.up == nil {
		return config
	}
	switch up := p.up.in(config).(type) {
	case map[string]any:
		return up[p.key.(string)]
	case []any:
		if i := p.key.(int); i < len(up) {
			return up[i]
		}
	}
	return nil
}

// put sets the value at a place of a configuration, and makes missing parents
// with the least that the schema allows. It removes the place for a nil value.
func (p *place) put(s *schemas, config, value any) {
	if p.up.in(config) == nil {
		p.up.put(s, config, s.least(p.up.schema))
	}
	switch up := p.up.in(config).(type) {
	case map[string]any:
		if up[p.key.(string)] = value; value == nil {
			delete(up, p.key.(string))
		}
	case []any:
		if len(up) == 0 {
			p.up.put(s, config, []any{value})
			return
		}
		up[p.key.(int)] = value
	}
}

// least returns the least value that the schema allows.
func (s *schemas) least(n *schema) any {
	n = s.resolve(n)
	switch n.Type {
	case "boolean":
		return true
	case "integer":
		return 1
	case "array":
		return []any{}
	case otherPlatform:
		return map[string]any{}
	case "object":
		least := map[string]any{}
		for _, key := range n.Required {
			least[key] = s.least(n.Properties[key])
		}
		return least
	}
	if len(n.Enum) > 0 {
		return n.Enum[0]
	}
	for _, text := range []string{"text", "RLIMIT_CORE", "1MB", "MB:", "b", "0"} {
		if n.Pattern == "" || regexp.MustCompile(n.Pattern).MatchString(text) {
			return text
		}
	}
	s.t.Fatalf("no string matches %s", n.Pattern)
	return nil
}

// broken returns values that the schema does not allow, or that no system call
// accepts.
func (n *schema) broken() []any {
	switch n.Type {
	case "boolean":
		return []any{"yes"}
	case "integer":
		values := []any{"1"}
		if n.Minimum != nil {
			values = append(values, next(*n.Minimum, -1))
		}
		if n.Maximum != nil {
			values = append(values, next(*n.Maximum, 1))
		}
		return values
	case "array":
		values := []any{map[string]any{}}
		if n.MinItems > 0 {
			values = append(values, []any{})
		}
		return values
	case "object":
		return []any{[]any{}}
	case otherPlatform:
		return []any{[]any{}, map[string]any{}}
	}
	values := []any{5, "/a\x00=b"} // accepted as a path, and as a variable
	switch {
	case len(n.Enum) > 0:
		values = append(values, "bogus")
	case n.Pattern != "":
		values = append(values, "?")
	}
	return values
}

// next returns a whole number next to another.
func next(n json.Number, by int64) json.Number {
	i, _ := new(big.Int).SetString(n.String(), 10)
	return json.Number(i.Add(i, big.NewInt(by)).String())
}

// refuses reports whether a table has a row for a field.
func refuses[T any](table []refusal[T], field string) bool {
	for _, row := range table {
		if row.field == field {
			return true
		}
	}
	return false
}
