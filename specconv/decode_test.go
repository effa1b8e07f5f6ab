package specconv

import (
	"encoding/json"
	"reflect"
	"testing"
	"testing/quick"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestDecodeLikeEncodingJSON reads random values of all types that matter.
func TestDecodeLikeEncodingJSON(t *testing.T) {
	for _, check := range []any{
		sameDecoded[specs.Process], sameDecoded[specs.Linux], sameDecoded[specs.Mount], sameDecoded[specs.Hooks],
		sameDecoded[specs.LinuxResources], sameDecoded[specs.VM], sameDecoded[specs.ZOS], sameDecoded[specs.FreeBSD], sameDecoded[specs.Solaris],
	} {
		if err := quick.Check(check, &quick.Config{MaxCount: 30}); err != nil {
			t.Error(err)
		}
	}
}

// sameDecoded reports whether a value that encoding/json writes is read alike
// by both.
func sameDecoded[T any](v T) bool {
	text, err := json.Marshal(v)
	if err != nil {
		return false
	}
	var got, want T
	return json.Unmarshal(text, &want) == nil && decode(text, &got) == nil && reflect.DeepEqual(got, want)
}

func BenchmarkLoad(b *testing.B) {
	text, err := json.Marshal(Default(DefaultOptions{}))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := decode(text, new(specs.Spec)); err != nil {
			b.Fatal(err)
		}
	}
}
