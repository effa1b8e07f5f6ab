package state

import (
	"encoding/json"
	"flag"
	"testing"

	"github.com/berth-oci/berth/internal/gen/jsoncode"
)

var update = flag.Bool("update", false, "write codec.go")

func TestCodecIsEncodingJSON(t *testing.T) {
	if err := jsoncode.CompareReader(decodeState); err != nil {
		t.Error(err)
	}
	if err := jsoncode.CompareWriter(encodeState); err != nil {
		t.Error(err)
	}
}

// FuzzState decodes a text, and encodes its value.
func FuzzState(f *testing.F) {
	for _, text := range jsoncode.Samples[State]() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := jsoncode.CompareDecode(text, decodeState); err != nil {
			t.Error(err)
		}
		var s State
		if json.Unmarshal(text, &s) != nil {
			return
		}
		if err := jsoncode.CompareEncode(&s, encodeState); err != nil {
			t.Error(err)
		}
	})
}

// TestCodecFile compares codec.go with the types; -update writes it.
func TestCodecFile(t *testing.T) {
	file := jsoncode.File{
		Path:       "codec.go",
		Package:    "github.com/berth-oci/berth/libcontainer/internal/state",
		Constraint: "!nocodec",
		Roots:      []jsoncode.Root{jsoncode.For[State]("State").Reader().Writer(2 << 10)},
	}
	if err := file.Check(*update); err != nil {
		t.Error(err)
	}
}
