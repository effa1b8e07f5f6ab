package state

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/seccomp"
)

// testdata/VERSION has the directory of a container in each version of the format that
// this package reads, and schema.txt, the fields of that version. A release handles the
// containers of another one with the same version (docs/api.md).

// savedDirs returns the saved directories, by version.
func savedDirs(t *testing.T) map[int]string {
	t.Helper()
	dirs := map[int]string{}
	for v := version - 1; v <= version; v++ {
		dir := filepath.Join("testdata", strconv.Itoa(v), "web")
		if _, err := os.Stat(dir); err == nil {
			dirs[v] = dir
		}
	}
	if dirs[version] == "" {
		t.Fatalf("no directory of version %d in testdata", version)
	}
	return dirs
}

// TestSavedIsRead reads each saved directory. No value of it may be lost.
func TestSavedIsRead(t *testing.T) {
	for v, dir := range savedDirs(t) {
		s, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		cfg, err := ReadConfig(dir)
		if err != nil {
			t.Fatal(err)
		}
		if s.Version != v || s.ID != "web" || s.Program != "/bin/busybox" || cfg.Process.Args[1] != "sleep" {
			t.Errorf("version %d: %+v, %+v", v, s, cfg)
		}
		for name, value := range map[string]any{stateFile: s, configFile: cfg} {
			for _, path := range lost(saved(t, dir, name), again(t, value), name) {
				t.Errorf("version %d: lost %s", v, path)
			}
		}
		filter, err := os.ReadFile(filepath.Join(dir, FilterFile))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seccomp.Parse(filter); err != nil {
			t.Error(err)
		}
	}
}

// TestSavedByLaterRelease adds fields that this release does not know, in every object.
func TestSavedByLaterRelease(t *testing.T) {
	from := savedDirs(t)[version]
	dir := filepath.Join(t.TempDir(), "web")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{stateFile, configFile} {
		value := saved(t, from, name)
		count := extend(value)
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if count == 0 || !bytes.Contains(text, []byte("laterField")) {
			t.Fatalf("%s has no object", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Read(dir)
	if want, e := Read(from); err != nil || e != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("state %+v, %v, want %+v, %v", s, err, want, e)
	}
	cfg, err := ReadConfig(dir)
	if want, e := ReadConfig(from); err != nil || e != nil || !reflect.DeepEqual(cfg, want) {
		t.Errorf("configuration %+v, %v, want %+v, %v", cfg, err, want, e)
	}
	next := &State{Version: version + 1, ID: "web"}
	if err := next.Write(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("its version is %d", version+1)) {
		t.Errorf("the next version of the format: %v", err)
	}
}

// TestSchema compares the fields of saved files with schema.txt. A field that was in a
// release stays, with its type: releases of one version read each other's files. -update
// adds new fields.
func TestSchema(t *testing.T) {
	now := slices.Concat(schemaOf(stateFile, reflect.TypeFor[State]()), schemaOf(configFile, reflect.TypeFor[config.Config]()))
	slices.Sort(now)
	name := filepath.Join("testdata", strconv.Itoa(version), "schema.txt")
	text, err := os.ReadFile(name)
	if err != nil && !*update {
		t.Fatal(err)
	}
	before := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(text) == 0 {
		before = nil
	}
	for _, field := range before {
		if !slices.Contains(now, field) {
			t.Errorf("%s is gone: releases with version %d write and read it; keep it, or raise the version and read both", field, version)
		}
	}
	added := slices.DeleteFunc(slices.Clone(now), func(field string) bool { return slices.Contains(before, field) })
	switch {
	case len(added) == 0 || t.Failed():
	case *update:
		if err := os.WriteFile(name, []byte(strings.Join(now, "\n")+"\n"), 0o644); err != nil {
			t.Error(err)
		}
	default:
		t.Errorf("new fields, which earlier releases ignore: %q; go test -update adds them to %s", added, name)
	}
}

// saved returns the value of a saved file.
func saved(t *testing.T, dir, name string) any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, text)
}

// again returns a value as this release would save it.
func again(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, text)
}

func decoded(t *testing.T, text []byte) (value any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// lost returns the paths of the values in before that are not in now.
func lost(before, now any, path string) (paths []string) {
	switch b := before.(type) {
	case map[string]any:
		n, _ := now.(map[string]any)
		for key, value := range b {
			paths = append(paths, lost(value, n[key], path+"."+key)...)
		}
		return paths
	case []any:
		n, _ := now.([]any)
		if len(n) == len(b) {
			for i := range b {
				paths = append(paths, lost(b[i], n[i], fmt.Sprintf("%s[%d]", path, i))...)
			}
			return paths
		}
	}
	if !reflect.DeepEqual(before, now) {
		paths = append(paths, path)
	}
	return paths
}

// extend adds an unknown field to each object, except to maps of texts, and returns their
// number.
func extend(value any) (count int) {
	switch v := value.(type) {
	case map[string]any:
		texts := len(v) > 0
		for _, member := range v {
			_, text := member.(string)
			texts = texts && text
			count += extend(member)
		}
		if !texts {
			v["laterField"] = map[string]any{"a": []int{1}}
			count++
		}
	case []any:
		for _, member := range v {
			count += extend(member)
		}
	}
	return count
}

// schemaOf returns a line "PATH TYPE" for each field of a type in JSON.
func schemaOf(path string, t reflect.Type) []string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	text := reflect.TypeFor[encoding.TextMarshaler]()
	own := reflect.TypeFor[json.Marshaler]()
	if t.Implements(text) || t.Implements(own) || reflect.PointerTo(t).Implements(own) {
		return []string{path + " " + t.String()}
	}
	switch t.Kind() {
	case reflect.Struct:
		return fieldsOf(path, t)
	case reflect.Map:
		return schemaOf(path+"{}", t.Elem())
	case reflect.Slice, reflect.Array:
		return schemaOf(path+"[]", t.Elem())
	}
	return []string{path + " " + t.Kind().String()}
}

func fieldsOf(path string, t reflect.Type) (lines []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case f.Anonymous && name == "":
			lines = append(lines, schemaOf(path, f.Type)...)
		case name == "":
			lines = append(lines, schemaOf(path+"."+f.Name, f.Type)...)
		default:
			lines = append(lines, schemaOf(path+"."+name, f.Type)...)
		}
	}
	return lines
}
