package jsoncode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
)

// The functions below are for tests of generated functions: they compare them with
// encoding/json.

// CompareDecode reports whether decode accepts a text. The error is not nil if it accepts
// a text that encoding/json refuses, or decodes it to another value.
func CompareDecode[T any](text []byte, decode func(string) (*T, bool)) (accepted bool, err error) {
	got, ok := decode(string(text))
	if !ok {
		return false, nil
	}
	want := new(T)
	if err := json.Unmarshal(text, want); err != nil {
		return true, fmt.Errorf("%q is accepted; encoding/json: %w", text, err)
	}
	if !reflect.DeepEqual(got, want) {
		return true, fmt.Errorf("%q: read %+v\nencoding/json: %+v", text, got, want)
	}
	return true, nil
}

// CompareEncode returns an error if encode and json.Marshal differ.
func CompareEncode[T any](v *T, encode func(*T) ([]byte, bool)) error {
	got, ok := encode(v)
	want, err := json.Marshal(v)
	if ok != (err == nil) {
		return fmt.Errorf("%+v: accepted is %v; encoding/json: %w", v, ok, err)
	}
	if ok && !bytes.Equal(got, want) {
		return fmt.Errorf("%+v: wrote\n%s\nencoding/json:\n%s", v, got, want)
	}
	return nil
}

// rounds is the number of random values; each is changed a few times.
const (
	rounds  = 300
	changes = 20
)

// CompareReader decodes the texts of random values, which decode must accept, and changed
// texts, of which it must accept some.
func CompareReader[T any](decode func(string) (*T, bool)) error {
	r := rand.New(rand.NewPCG(1, 2))
	count := 0
	for range rounds {
		text := randomText[T](r)
		accepted, err := CompareDecode(text, decode)
		if err != nil {
			return err
		}
		if !accepted && string(text) != "null" {
			return fmt.Errorf("%s is declined", text)
		}
		for range changes {
			accepted, err := CompareDecode(Mutate(r, text), decode)
			if err != nil {
				return err
			}
			if accepted {
				count++
			}
		}
	}
	if count == 0 || count == rounds*changes {
		return fmt.Errorf("%d of %d changed texts are accepted", count, rounds*changes)
	}
	return nil
}

// CompareWriter encodes random values.
func CompareWriter[T any](encode func(*T) ([]byte, bool)) error {
	r := rand.New(rand.NewPCG(3, 4))
	for range rounds {
		if err := CompareEncode(Random[T](r), encode); err != nil {
			return err
		}
	}
	return CompareEncode(new(T), encode)
}

// Samples returns texts of random values.
func Samples[T any]() [][]byte {
	r := rand.New(rand.NewPCG(5, 6))
	var texts [][]byte
	for range 20 {
		texts = append(texts, randomText[T](r))
	}
	return texts
}

// randomText returns the text of a random value, in one or many lines.
func randomText[T any](r *rand.Rand) []byte {
	text, err := json.Marshal(Random[T](r))
	for err != nil { // a year of more than four digits
		text, err = json.Marshal(Random[T](r))
	}
	if r.IntN(2) == 0 {
		return text
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, text, "", "\t"); err != nil {
		panic(err) // Marshal returns valid JSON
	}
	return lines.Bytes()
}
