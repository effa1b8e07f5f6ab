package specconv

import (
	"fmt"
	"io"
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
// check.
func Load(r io.Reader) (*specs.Spec, error) {
	return load[specs.Spec](r)
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

// load reads one JSON object from r.
func load[T any](r io.Reader) (*T, error) {
	data, err := readObject(r)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := decode(data, v); err != nil {
		return nil, err
	}
	return v, nil
}

// readObject reads r to its end and gives up at the first byte that cannot
// belong to a JSON object of at most MaxSize bytes, so that megabytes of
// nonsense cost nothing.
func readObject(r io.Reader) ([]byte, error) {
	d := decoder{data: make([]byte, 0, 16<<10)}
	for {
		n, err := r.Read(d.data[len(d.data):cap(d.data)])
		d.data = d.data[:len(d.data)+n]
		if len(d.data) > MaxSize {
			return nil, invalid("longer than %d MiB", MaxSize>>20)
		}
		if first := d.next(); d.at < len(d.data) && first != '{' {
			return nil, invalid("want an object, found %s", kindOf(first))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		if len(d.data) == cap(d.data) {
			d.data = append(d.data, 0)[:len(d.data)]
		}
	}
	if d.at == len(d.data) {
		return nil, invalid("empty")
	}
	return d.data, d.checkText()
}

// checkText refuses wrong bytes: to replace them, as is usual, would silently
// make one path another.
func (d *decoder) checkText() error {
	if utf8.Valid(d.data) {
		return nil
	}
	for {
		r, size := utf8.DecodeRune(d.data[d.at:])
		if r == utf8.RuneError && size == 1 {
			return invalid("%s: not UTF-8", d.position())
		}
		d.at += size
	}
}

// kindOf names the kind of JSON value that begins with a byte.
func kindOf(first byte) string {
	switch {
	case first == '[':
		return "an array"
	case first == '"':
		return "a string"
	case first == 'n':
		return "null"
	case first == 't' || first == 'f':
		return "a boolean"
	case first == '-' || '0' <= first && first <= '9':
		return "a number"
	}
	return fmt.Sprintf("the byte %#02x", first)
}
