package specconv

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// MaxSize bounds what is read of a JSON file. The kernel takes at most 6 MiB
// of arguments and environment, so nothing that could run is longer.
const MaxSize = 16 << 20

// Load reads a config.json. Unknown keys are ignored, as the specification
// demands (config.md, Extensibility); everything else that is not a
// configuration is an error of one line, for which errors.Is(err,
// config.ErrInvalid) holds. What the values mean is for Convert to check.
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
	if err := json.Unmarshal(data, v); err != nil {
		return nil, explain(data, err)
	}
	return v, nil
}

// readObject reads r to its end and gives up at the first byte that cannot
// belong to a JSON object of at most MaxSize bytes, so that megabytes of
// nonsense cost nothing.
func readObject(r io.Reader) ([]byte, error) {
	data := make([]byte, 0, 16<<10)
	begun := false
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if len(data) > MaxSize {
			return nil, invalid("longer than %d MiB", MaxSize>>20)
		}
		if first := firstByte(data[len(data)-n:]); !begun && first != 0 {
			begun = true
			if found := kindOf(first); found != "an object" {
				return nil, invalid("want an object, found %s", found)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
	return data, checkText(data, begun)
}

// checkText refuses what the JSON decoder would take for something else.
func checkText(data []byte, begun bool) error {
	if !begun {
		return invalid("empty")
	}
	if utf8.Valid(data) {
		return nil
	}
	// The decoder would replace the wrong bytes, and a path would silently
	// become another path.
	at := 0
	for {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return invalid("%s: not UTF-8", position(data, at))
		}
		at += size
	}
}

// firstByte returns the first byte that is not white space, or 0.
func firstByte(data []byte) byte {
	for _, b := range data {
		switch b {
		case ' ', '\t', '\r', '\n':
		default:
			return b
		}
	}
	return 0
}

// kindOf names the kind of JSON value that begins with a byte.
func kindOf(first byte) string {
	switch {
	case first == '{':
		return "an object"
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

// explain turns an error of the JSON decoder into one that says where and
// what in the words of config.json.
func explain(data []byte, err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return fieldErr(fieldAt(data, wrong.Offset), "want %s, found %s", wanted(wrong.Type), found(wrong.Value))
	case errors.As(err, &syntax) && syntax.Error() == "unexpected end of JSON input":
		return invalid("%s: the file ends too early: %w", position(data, len(data)), io.ErrUnexpectedEOF)
	case errors.As(err, &syntax):
		return invalid("%s: %s", position(data, int(syntax.Offset)-1), syntax)
	}
	return invalid("%w", err)
}

// position gives an offset as "line 3, column 7".
func position(data []byte, offset int) string {
	line, column := 1, 1
	for _, b := range data[:max(0, min(offset, len(data)))] {
		if column++; b == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}

// invalid makes an error about a whole file.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", config.ErrInvalid, fmt.Errorf(format, args...))
}
