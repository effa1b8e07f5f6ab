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
)

// MaxSize bounds what is read of a JSON file. The kernel takes at most 6 MiB
// of arguments and environment, so nothing that could run is longer.
const MaxSize = 16 << 20

// Load reads a config.json. Unknown keys are ignored, as the specification
// demands (config.md, Extensibility); everything else that is not a
// configuration is a *config.FieldError of one line, which names the field,
// or line and column, but not the file. What the values mean is for Convert to
// check. Of the sections for other platforms, which Convert refuses, the result
// says only that they are there.
func Load(r io.Reader) (*specs.Spec, error) {
	file, err := load[specFile](r)
	if err != nil {
		return nil, err
	}
	return file.spec(), nil
}

// LoadProcess reads a process.json, the process of an exec, by the rules of
// Load.
func LoadProcess(r io.Reader) (*specs.Process, error) {
	return load[specs.Process](r)
}

// LoadResources reads the resources of an update by the rules of Load.
func LoadResources(r io.Reader) (*specs.LinuxResources, error) {
	return load[specs.LinuxResources](r)
}

// LoadMounts reads an array of mounts by the rules of Load.
func LoadMounts(r io.Reader) ([]specs.Mount, error) {
	list, err := load[[]specs.Mount](r)
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// specFile is a specification whose fields for other platforms are hidden from
// encoding/json: on first use it makes tables of every type it can reach, and
// those are a fifth of them.
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

// mark makes an empty section if there is one in the file.
func mark[T any](there *struct{}, section **T) {
	if there != nil {
		*section = new(T)
	}
}

// load reads one JSON value from r.
func load[T any](r io.Reader) (*T, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read: %w", err)
	case len(data) > MaxSize:
		return nil, invalid("longer than %d MiB", MaxSize>>20)
	case len(bytes.TrimSpace(data)) == 0:
		return nil, invalid("empty")
	case bytes.HasPrefix(data, []byte("\ufeff")): // editors do not show it
		return nil, invalid("line 1, column 1: a byte order mark (save the file as UTF-8 without one)")
	case !utf8.Valid(data): // to replace bytes, as json does, could make one path another
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

// explain says where in the file an error of json's is. Its offsets are behind
// what is wrong.
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

// position names the place of a byte: "line 3, column 7".
func position(data []byte, at int) string {
	before := data[:at]
	return fmt.Sprintf("line %d, column %d", 1+bytes.Count(before, []byte("\n")), at-bytes.LastIndexByte(before, '\n'))
}
