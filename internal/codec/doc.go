// Package codec reads and writes the JSON of configurations: config.json, the
// configuration that a container's directory has, and the state that hooks and
// seccomp agents get. Its results are those of encoding/json, which makes tables of
// every type by reflection at each start of a program. The functions for the types are
// generated (internal/gen/codec, "make generate"); they need no tables.
//
// A function declines, instead of returning an error, whatever is unusual: a text that
// encoding/json would refuse, a member that occurs twice, a name in other letters than
// the type's. The caller then asks encoding/json, as Marshal and Unmarshal do, so the
// rules and the errors are always those of encoding/json.
package codec

import "encoding/json"

// Unmarshal is json.Unmarshal for a type that has a generated function, such as
// DecodeConfig.
func Unmarshal[T any](text []byte, decode func(string) (*T, bool)) (*T, error) {
	if v, ok := decode(string(text)); ok {
		return v, nil
	}
	v := new(T)
	return v, json.Unmarshal(text, v)
}

// Marshal is json.Marshal for a type that has a generated function, such as EncodeConfig.
func Marshal[T any](v *T, encode func(*T) ([]byte, bool)) ([]byte, error) {
	if text, ok := encode(v); ok {
		return text, nil
	}
	return json.Marshal(v)
}
