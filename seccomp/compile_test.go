package seccomp

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// agree compares a program with the meaning of the profile.
func agree(t *testing.T, raw *specs.LinuxSeccomp) {
	t.Helper()
	p, program := compiled(t, raw)
	compare(t, p, program)
}

func compare(t *testing.T, p *profile, program []unix.SockFilter) {
	t.Helper()
	wrong := 0
	visit(p, func(a *arch, d *data) {
		want, _ := meaning(p, d)
		if have, _ := execute(program, d, a.big); have != want && wrong < 5 {
			t.Errorf("%s call %#x %#x: %#x, want %#x", a.name, d.nr, d.args, have, want)
			wrong++
		}
	})
}

func TestProgramsDoWhatProfilesMean(t *testing.T) {
	for name, p := range engines(t) {
		t.Run(name, func(t *testing.T) { agree(t, p) })
	}
	t.Run("every operator", func(t *testing.T) { agree(t, everyOperator()) })
	for seed := range uint64(40) {
		t.Run(fmt.Sprint("generated ", seed), func(t *testing.T) { agree(t, generate(seed, sameOrder())) })
	}
}

// On all architectures.
func TestProgramsOfOthersDoWhatProfilesMean(t *testing.T) {
	for i := range arches {
		t.Run(string(arches[i].name), func(t *testing.T) {
			for seed := range uint64(5) {
				p := alone(t, generate(seed, nil), &arches[i])
				compare(t, p, build(p))
			}
		})
	}
}

// A tree is short: Docker's profile decides about any call without arguments in
// a dozen comparisons, where a list takes hundreds.
func TestTreeIsShallow(t *testing.T) {
	p, program := compiled(t, engines(t)["docker"])
	most := 0
	visit(p, func(a *arch, d *data) {
		if conditional(p, a, d.nr&^a.bit) == 0 {
			_, steps := execute(program, d, a.big)
			most = max(most, steps)
		}
	})
	t.Logf("%d instructions, %d at most for a call", len(program), most)
	if most > 14 {
		t.Errorf("%d instructions are executed for a call", most)
	}
}

func BenchmarkCompileDocker(b *testing.B) {
	p := engines(b)["docker"]
	for b.Loop() {
		if _, err := Compile(p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCacheDocker measures the least that a cache of filters would cost:
// to hash the profile, and to read and verify a file. berth has no cache,
// because the gain is too small (docs/decisions.md).
func BenchmarkCacheDocker(b *testing.B) {
	p := engines(b)["docker"]
	f, err := Compile(p)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "filter")
	if err := os.WriteFile(file, f.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		text, err := json.Marshal(p)
		if err != nil {
			b.Fatal(err)
		}
		key := sha256.Sum256(text)
		program, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		sum := sha256.Sum256(program)
		if _, err := Parse(program); err != nil || key == sum {
			b.Fatal(err)
		}
	}
}
