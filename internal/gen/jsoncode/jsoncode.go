// Package jsoncode generates the functions that read and write JSON for given types, in
// terms of package internal/codec. It follows the rules of encoding/json about fields,
// and refuses a type for which it does not know them.
package jsoncode

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"reflect"
)

// Root is a type to generate functions for.
type Root struct {
	// Name is the end of the functions' names, after "Decode" and "Encode". They are
	// exported by package codec only.
	Name  string
	Type  reflect.Type
	read  bool
	write bool
	size  int
}

// For is a root of type T.
func For[T any](name string) Root { return Root{Name: name, Type: reflect.TypeFor[T]()} }

// Reader adds the function that decodes.
func (r Root) Reader() Root {
	r.read = true
	return r
}

// Writer adds the function that encodes. Size is how long most texts are, in bytes.
func (r Root) Writer(size int) Root {
	r.write, r.size = true, size
	return r
}

// File is a file to generate.
type File struct {
	// Path of the file, and the path of its package.
	Path    string
	Package string
	// Name is the name of the package, by default the last element of its path.
	Name string
	// Constraint is its build constraint, if any.
	Constraint string
	Roots      []Root
}

// Check returns an error if the file is not what Source returns; with update it writes
// the file.
func (f File) Check(update bool) error {
	want, err := f.Source()
	if err != nil {
		return err
	}
	if update {
		return os.WriteFile(f.Path, want, 0o644)
	}
	have, err := os.ReadFile(f.Path)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, want) {
		return fmt.Errorf("%s differs from the types: run make generate", f.Path)
	}
	return nil
}

// Source returns the content of the file.
func (f File) Source() ([]byte, error) {
	g := generator{pkg: f.Package, imports: map[string]string{}, functions: map[string]reflect.Type{}}
	for _, r := range f.Roots {
		if err := g.root(r); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	return format.Source(g.file(f.Name, f.Constraint))
}
