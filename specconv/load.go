package specconv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/codec"
)

// MaxSize limits the size of a JSON file, in bytes. The kernel accepts at most
// 6 MiB of arguments and environment, so no container needs a longer file.
const MaxSize = 16 << 20

// MaxValues limits the number of values in a JSON file: lists of 5 million empty objects would
// need 100 times the memory of the file. The kernel accepts 700,000 arguments, and 100,000
// mounts.
const MaxValues = 1 << 20

// Load parses a config.json. It ignores unknown keys, as the specification
// demands (config.md, Extensibility). Any other error in the file is a
// *config.FieldError of one line, which names the field, or line and column,
// but not the file. Convert checks the values. For the sections of other
// platforms, which Convert refuses, the result only has empty structs.
func Load(r io.Reader) (*specs.Spec, error) {
	data, err := read(r)
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

// Parse is Load for a file that the caller has read.
func Parse(data []byte) (*specs.Spec, error) {
	if spec, ok := decode(data, codec.DecodeSpec); ok {
		return spec, nil
	}
	file, err := parse[specFile](data)
	if err != nil {
		return nil, err
	}
	return file.spec(), nil
}

// LoadProcess parses a process.json, the process of an exec, by the rules of
// Load.
func LoadProcess(r io.Reader) (*specs.Process, error) {
	return load(r, codec.DecodeProcess)
}

// LoadResources parses the resources of an update by the rules of Load.
func LoadResources(r io.Reader) (*specs.LinuxResources, error) {
	return load(r, codec.DecodeResources)
}

// LoadMounts parses an array of mounts by the rules of Load.
func LoadMounts(r io.Reader) ([]specs.Mount, error) {
	list, err := load(r, codec.DecodeMounts)
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// specFile is a specification that hides the fields for other platforms from
// encoding/json. On first use, json makes tables of every type that it can
// reach, and those fields are a fifth of them.
type specFile struct {
	specs.Spec
	Solaris *struct{} `json:"solaris"`
	Windows *struct{} `json:"windows"`
	VM      *struct{} `json:"vm"`
	ZOS     *struct{} `json:"zos"`
	FreeBSD *struct{} `json:"freebsd"`
}

// spec returns the specification, with an empty section for each hidden one.
func (f *specFile) spec() *specs.Spec {
	mark(f.Solaris, &f.Spec.Solaris)
	mark(f.Windows, &f.Spec.Windows)
	mark(f.VM, &f.Spec.VM)
	mark(f.ZOS, &f.Spec.ZOS)
	mark(f.FreeBSD, &f.Spec.FreeBSD)
	return &f.Spec
}

// mark makes an empty section if the file has it.
func mark[T any](there *struct{}, section **T) {
	if there != nil {
		*section = new(T)
	}
}

// read reads a file of at most MaxSize.
func read(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return data, nil
}

// load reads and parses one JSON value.
func load[T any](r io.Reader, quick func(string) (*T, bool)) (*T, error) {
	data, err := read(r)
	if err != nil {
		return nil, err
	}
	if v, ok := decode(data, quick); ok {
		return v, nil
	}
	return parse[T](data)
}

// decode parses one JSON value, unless quick declines it: then parse has the error, or
// a value that needs the rules of encoding/json.
func decode[T any](data []byte, quick func(string) (*T, bool)) (*T, bool) {
	if len(data) > MaxSize || tooMany(data) {
		return nil, false
	}
	return quick(string(data))
}

// parse parses one JSON value by encoding/json.
func parse[T any](data []byte) (*T, error) {
	switch {
	case len(data) > MaxSize:
		return nil, invalid("longer than %d MiB", MaxSize>>20)
	case tooMany(data):
		return nil, invalid("more than %d values", MaxValues)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, invalid("empty")
	case bytes.HasPrefix(data, []byte("\ufeff")): // editors do not show it
		return nil, invalid("line 1, column 1: a byte order mark (save the file as UTF-8 without one)")
	case !utf8.Valid(data): // json would replace bytes, which could turn one path into another
		return nil, invalid("%s: not UTF-8", position(data, bytes.IndexRune(data, utf8.RuneError)))
	}
	var v *T
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, explain(data, err)
	}
	if v == nil {
		return nil, invalid("want %s, found null", wanted(reflect.TypeFor[T]()))
	}
	return v, nil
}

// tooMany reports whether a JSON text has more than MaxValues values. It counts the commas
// between them; those in strings only matter in a text with many.
func tooMany(data []byte) bool {
	if bytes.Count(data, []byte(",")) < MaxValues {
		return false
	}
	n, quoted := 1, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case c == ',' && !quoted:
			n++
		}
	}
	return n > MaxValues
}

// explain adds the position in the file to an error of json. Its offsets are
// after the error.
func explain(data []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return invalid("%s: %w", position(data, int(syntax.Offset)-1), err)
	}
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return fieldErr(pathAt(data, typ.Offset), "%s", mismatch(typ))
	}
	return invalid("%w", err)
}

// position returns the position of a byte: "line 3, column 7".
func position(data []byte, at int) string {
	before := data[:at]
	return fmt.Sprintf("line %d, column %d", 1+bytes.Count(before, []byte("\n")), at-bytes.LastIndexByte(before, '\n'))
}
