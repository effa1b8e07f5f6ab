package seccomp

import (
	"encoding/json"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzMeaning compares the program of a profile with the profile's meaning, on one
// architecture after the other, so that each input is decided about in milliseconds.
func FuzzMeaning(f *testing.F) {
	add := func(p *specs.LinuxSeccomp, arch uint8) {
		text, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, arch)
	}
	add(everyOperator(), 0)
	for seed := range uint64(8) {
		add(generate(seed, nil), uint8(seed*3))
	}
	f.Fuzz(func(t *testing.T, text []byte, number uint8) {
		raw := &specs.LinuxSeccomp{}
		if len(text) > 4<<10 || json.Unmarshal(text, raw) != nil {
			return
		}
		p, err := parse(raw)
		if err != nil {
			return
		}
		p.arches = []*arch{&arches[int(number)%len(arches)]}
		program := build(p)
		if len(program) > instructionsMost {
			return // refused
		}
		if err := verify(program); err != nil {
			t.Fatal(err)
		}
		compare(t, p, program)
	})
}
