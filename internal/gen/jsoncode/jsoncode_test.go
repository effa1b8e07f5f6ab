package jsoncode

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

type inner struct {
	A string
	B int `json:"b"`
}

// Embedded has a name that sample also has.
type Embedded struct {
	Name string `json:"name"`
	Env  []string
}

type sample struct {
	Embedded
	Name    uint16 `json:"name,omitempty"`
	List    []inner
	Map     map[string]*inner `json:",omitempty"`
	Pair    [2]int8
	Section *inner `platform:"vm"`
	Hidden  any    `json:"-"`
	private int    //nolint:unused // the generator must leave it out
}

type withFirst struct{ First string }

type withSecond struct {
	First  string
	Second string
}

const pkg = "github.com/berth-oci/berth/internal/gen/jsoncode"

func fileFor(roots ...Root) File { return File{Path: "unused", Package: pkg, Roots: roots} }

func TestSource(t *testing.T) {
	text, err := File{Package: pkg, Constraint: "tag", Roots: []Root{For[sample]("Sample").Reader()}}.Source()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"//go:build tag\n\npackage jsoncode\n\nimport (\n\t\"github.com/berth-oci/berth/internal/codec\"\n",
		"func decodeSample(text string) (*sample, bool) { return codec.Decode(text, readsample) }",
		"func readsample(d *codec.Decoder, v *sample) {",
		"\t\tcase \"Env\":\n\t\t\td.Once(&seen, 0)\n\t\t\tv.Embedded.Env = d.Texts()\n",
		"\t\tcase \"name\":\n\t\t\td.Once(&seen, 1)\n\t\t\tv.Name = uint16(d.Uint(16))\n",
		"v.List = codec.ReadList(d, readinner)", "v.Map = codec.ReadMap(d, readinnerPtr)", "codec.ReadArray(d, v.Pair[:], readInt8)",
		"if d.Presence() {\n\t\t\t\tv.Section = new(inner)\n\t\t\t}",
		"d.Unknown(name, \"Env name List Map Pair Section\")", "v.B = int(d.Int(strconv.IntSize))",
	} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}
}

// TestFieldsOf compares the fields with those that encoding/json writes.
func TestFieldsOf(t *testing.T) {
	fields, err := fieldsOf(reflect.TypeFor[sample]())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(sample{Name: 1, Map: map[string]*inner{"": nil}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		var found bool
		if _, text2, ok := strings.Cut(string(text), `"`+f.name+`":`); ok {
			text, found = []byte(text2), true
		}
		if !found {
			t.Errorf("%s is not in %s", f.name, text)
		}
	}
	if strings.Count(string(text), `":`) != 0 {
		t.Errorf("also written: %s", text)
	}
}

// TestNewField checks a file that was generated before its type got a field.
func TestNewField(t *testing.T) {
	path := filepath.Join(t.TempDir(), "generated.go")
	before := File{Path: path, Package: pkg, Roots: []Root{{Name: "X", Type: reflect.TypeFor[withFirst](), read: true, write: true}}}
	if err := before.Check(true); err != nil {
		t.Fatal(err)
	}
	if err := before.Check(false); err != nil {
		t.Error(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// The type has got a field, but no other name.
	text = []byte(strings.ReplaceAll(string(text), "withFirst", "withSecond"))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	after := File{Path: path, Package: pkg, Roots: []Root{{Name: "X", Type: reflect.TypeFor[withSecond](), read: true, write: true}}}
	if err := after.Check(false); err == nil || !strings.HasSuffix(err.Error(), "run make generate") {
		t.Errorf("a new field: %v", err)
	}
}

type recursive struct{ Next *recursive }

type text string

func (text) MarshalText() ([]byte, error) { return nil, nil }

// Marshaler is embedded, so the struct has its method.
type Marshaler struct{}

func (Marshaler) MarshalJSON() ([]byte, error) { return nil, nil }

type unmarshaler struct{}

func (*unmarshaler) UnmarshalJSON([]byte) error { return nil }

type named []string

// TestUnsupported tests types with a form in JSON that the generator does not know.
func TestUnsupported(t *testing.T) {
	for want, root := range map[string]Root{
		"kind interface":            For[struct1[any]](""),
		"kind float64":              For[struct1[float64]](""),
		"kind chan":                 For[struct1[chan int]](""),
		"kind func":                 For[struct1[func()]](""),
		"kind uintptr":              For[struct1[uintptr]](""),
		"base64":                    For[struct1[[]byte]](""),
		"RawMessage has methods":    For[struct1[json.RawMessage]](""),
		"text has methods":          For[struct1[text]](""),
		"unmarshaler has methods":   For[struct1[*unmarshaler]](""),
		"not of type string":        For[struct1[map[int]string]](""),
		"keys that are not of type": For[struct1[map[text]string]](""),
		"pointer to a pointer":      For[struct1[**int]](""),
		"without name":              For[struct1[struct{ A int }]](""),
		"with one":                  For[struct1[named]](""),
		"contains itself":           For[recursive](""),
	} {
		for _, r := range []Root{root.Reader(), root.Writer(1)} {
			if _, err := fileFor(r).Source(); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", r.Type, err, want)
			}
		}
	}
	if _, err := fileFor(For[sample]("").Writer(1)).Source(); err == nil || !strings.Contains(err.Error(), "only its presence is read") {
		t.Errorf("a section of other platforms: %v", err)
	}
}

type struct1[T any] struct{ F T }

// structOf returns a struct with int fields A, B, … and these tags.
func structOf(tags ...reflect.StructTag) reflect.Type {
	var fields []reflect.StructField
	for i, tag := range tags {
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: reflect.TypeFor[int](), Tag: tag})
	}
	return reflect.StructOf(fields)
}

// TestRefusedFields tests structs with a field that the generator does not know.
func TestRefusedFields(t *testing.T) {
	for want, typ := range map[string]reflect.Type{
		`option "string"`:           structOf(`json:",string"`),
		`option "omitzero"`:         structOf(`json:",omitzero"`),
		`option "omitempty,string"`: structOf(`json:"a,omitempty,string"`),
		`name "a b"`:                structOf(`json:"a b"`),
		"have the same name":        structOf(`json:"x"`, ``, `json:"x"`),
		"65 fields, more than 64":   structOf(make([]reflect.StructTag, 65)...),
		"an embedded pointer":       reflect.TypeFor[struct{ *Embedded }](),
		"or an unexported type":     reflect.TypeFor[struct{ inner }](),
		"Marshaler has methods":     reflect.TypeFor[struct{ Marshaler }](),
	} {
		if _, err := fieldsOf(typ); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", typ, err, want)
		}
	}
}
