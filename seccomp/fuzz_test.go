package seccomp

import (
	"encoding/json"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzCompile tests that every profile is refused or becomes a program that the
// kernel would accept.
func FuzzCompile(f *testing.F) {
	for _, p := range engines(f) {
		text, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for seed := range uint64(20) {
		text, err := json.Marshal(generate(seed, arches[:]))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p := &specs.LinuxSeccomp{}
		if json.Unmarshal(text, p) != nil {
			return
		}
		filter, err := Compile(p)
		if err != nil {
			return
		}
		if err := verify(filter.Program); err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(filter.Bytes()); err != nil {
			t.Fatal(err)
		}
	})
}
