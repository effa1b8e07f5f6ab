package specconv

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/berth-oci/berth/libcontainer/config"
)

func TestLoad(t *testing.T) {
	file := " \n{\"ociVersion\": \"1.0.0\", \"unknown\": [{}], \"linux\": {\"unknown\": 1},\n\"process\": {\"args\": [\"sh\"]}}\n\n"
	spec, err := Load(iotest.OneByteReader(strings.NewReader(file)))
	if err != nil {
		t.Fatal(err)
	}
	if spec.Version != "1.0.0" || spec.Process.Args[0] != "sh" {
		t.Errorf("read %+v", spec)
	}
}

func TestLoadOthers(t *testing.T) {
	p, err := LoadProcess(strings.NewReader(`{"cwd": "/x"}`))
	if err != nil || p.Cwd != "/x" {
		t.Errorf("process %+v, %v", p, err)
	}
	list, err := LoadMounts(strings.NewReader(`[{"destination": "/x"}]`))
	if err != nil || len(list) != 1 || list[0].Destination != "/x" {
		t.Errorf("got %+v, %v", list, err)
	}
	if _, err = LoadMounts(strings.NewReader("null")); err == nil || err.Error() != "want an array of objects, found null" {
		t.Errorf("got %v", err)
	}
	if _, err = LoadProcess(strings.NewReader(`{"args": [1]}`)); err == nil || err.Error() != "args[0]: want a string, found a number" {
		t.Error(err)
	}
	m, err := LoadMounts(strings.NewReader(`[{"destination": "/a"}]`))
	if err != nil || len(m) != 1 || m[0].Destination != "/a" {
		t.Errorf("mounts %+v, %v", m, err)
	}
	if _, err = LoadMounts(strings.NewReader(`null`)); err == nil || err.Error() != "want an array of objects, found null" {
		t.Error(err)
	}
	if _, err = LoadMounts(strings.NewReader(`[{"options": "ro"}]`)); err == nil || err.Error() != "[0].options: want an array of strings, found a string" {
		t.Error(err)
	}
	r, err := LoadResources(strings.NewReader(`{"pids": {"limit": 7}}`))
	if err != nil || *r.Pids.Limit != 7 {
		t.Errorf("resources %+v, %v", r, err)
	}
}

// TestLoadPlatforms tests the sections that specFile hides from encoding/json.
func TestLoadPlatforms(t *testing.T) {
	for _, row := range refusedInSpec {
		spec, err := Load(strings.NewReader(`{"` + row.field + `": {"x": [1]}}`))
		if err != nil || !row.set(spec) {
			t.Errorf("%s: %+v, %v", row.field, spec, err)
		}
		spec, err = Load(strings.NewReader(`{"` + row.field + `": null}`))
		if err != nil || row.set(spec) {
			t.Errorf("%s: null: %+v, %v", row.field, spec, err)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"", "empty"},
		{" \n\t", "empty"},
		{"null", "want an object, found null"},
		{"[]", "want an object, found an array"},
		{`"x"`, "want an object, found a string"},
		{"-1", "want an object, found a number"},
		{"true", "want an object, found a boolean"},
		{"\xef\xbb\xbf{}", "line 1, column 1: a byte order mark (save the file as UTF-8 without one)"},
		{"ociVersion: 1.0.0", "line 1, column 1: invalid character 'o' looking for beginning of value"},
		{"{", "line 1, column 1: unexpected end of JSON input"},
		{"{\"a\":\n  \"b", "line 2, column 4: unexpected end of JSON input"},
		{"{\n\t\"a\": 1,\n}", "line 3, column 1: invalid character '}' looking for beginning of object key string"},
		{`{"a": nul}`, "line 1, column 10: invalid character '}' in literal null (expecting 'l')"},
		{"{} x", "line 1, column 4: invalid character 'x' after top-level value"},
		{"{}{}", "line 1, column 3: invalid character '{' after top-level value"},
		{"{}\x00", `line 1, column 3: invalid character '\x00' after top-level value`},
		{"{\n\"root\": {\"path\": \"a\xffb\"}}", "line 2, column 20: not UTF-8"},
		{`{"root": {"path": "` + "a\nb" + `"}}`, `line 1, column 21: invalid character '\n' in string literal`},
		{`{"a":` + strings.Repeat("[", 1<<20), "line 1, column 10005: invalid character '[' exceeded max depth"},

		{`{"linux": {"resources": {"blockIO": {"weightDevice": [{"major": 1, "weight": "x"}]}}}}`, "linux.resources.blockIO.weightDevice[0].weight: want a whole number, found a string"},
		{`{"process": {"args": 5}}`, "process.args: want an array of strings, found a number"},
		{`{"process": {"args": "sh"}}`, "process.args: want an array of strings, found a string"},
		{`{"process": {"args": ["sh", {}]}}`, "process.args[1]: want a string, found an object"},
		{`{"process": []}`, "process: want an object, found an array"},
		{`{"process": {"terminal": "yes"}}`, "process.terminal: want true or false, found a string"},
		{`{"process": {"user": {"uid": -1}}}`, "process.user.uid: want a whole number from 0 to 4294967295, found -1"},
		{`{"process": {"user": {"uid": 4294967296}}}`, "process.user.uid: want a whole number from 0 to 4294967295, found 4294967296"},
		{`{"process": {"user": {"uid": 1.5}}}`, "process.user.uid: want a whole number from 0 to 4294967295, found 1.5"},
		{`{"process": {"user": {"additionalGids": [1, true]}}}`, "process.user.additionalGids[1]: want a whole number, found a boolean"},
		{`{"process": {"user": {"additionalGids": {}}}}`, "process.user.additionalGids: want an array of numbers, found an object"},
		{`{"process": {"oomScoreAdj": 1e99}}`, fmt.Sprintf("process.oomScoreAdj: want a whole number from %d to %d, found 1e99", math.MinInt, math.MaxInt)},
		{`{"process": {"rlimits": [{"soft": 18446744073709551616}]}}`, "process.rlimits[0].soft: want a whole number from 0 to 18446744073709551615, found 18446744073709551616"},
		{`{"mounts": [{}, {"x": [[{"a": [1]}]], "options": ["ro", 1]}]}`, "mounts[1].options[1]: want a string, found a number"},
		{`{"mounts": {}}`, "mounts: want an array of objects, found an object"},
		{`{"linux": {"sysctl": {"a.b": 1}}}`, `linux.sysctl["a.b"]: want a string, found a number`},
		{`{"linux": {"resources": {"cpu": {"shares": "` + strings.Repeat("9", 1000) + `"}}}}`, "linux.resources.cpu.shares: want a whole number, found a string"},
		{`{"linux": {"resources": {"cpu": {"shares": ` + strings.Repeat("9", 1000) + `}}}}`, "linux.resources.cpu.shares: want a whole number from 0 to 18446744073709551615, found " + strings.Repeat("9", 40)},
		{`{"annotations": {"a\nb": 1}}`, `annotations["a\nb"]: want a string, found a number`},
		{`{"annotations": {"": 1}}`, `annotations[""]: want a string, found a number`},
		{`{"annotations": {"a": null, "b": []}}`, "annotations.b: want a string, found an array"},
		{`{"x": [{}, 1e999, "]", {"y": [null, {}]}], "Process": {"x": 1, "Args": ["", {"a": [1]}]}}`, "Process.Args[1]: want a string, found an object"},
		{`{"windows": []}`, "windows: want an object, found an array"},
	} {
		_, err := Load(strings.NewReader(test.file))
		name := test.file[:min(len(test.file), 60)]
		if err == nil || err.Error() != test.want {
			t.Errorf("%q: %v\nwant %s", name, err, test.want)
			continue
		}
		if !errors.Is(err, config.ErrInvalid) {
			t.Errorf("%q: not an ErrInvalid", name)
		}
		var field *config.FieldError
		if !errors.As(err, &field) {
			t.Errorf("%q: %T", name, err)
		}
	}
}

func TestLoadReadError(t *testing.T) {
	cause := errors.New("cause")
	_, err := Load(io.MultiReader(strings.NewReader("{"), iotest.ErrReader(cause)))
	if !errors.Is(err, cause) || errors.Is(err, config.ErrInvalid) {
		t.Error(err)
	}
	var syntax *json.SyntaxError
	if _, err = Load(strings.NewReader("{")); !errors.As(err, &syntax) {
		t.Error(err)
	}
}

// endless returns one byte again and again, and counts them.
type endless struct {
	b    byte
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.b
	}
	e.read += len(p)
	return len(p), nil
}

// TestLoadBounded calls Load with endless files.
func TestLoadBounded(t *testing.T) {
	for _, test := range []struct {
		begin string
		b     byte
		want  string
	}{
		{"", '[', "longer than 16 MiB"},
		{"", ' ', "longer than 16 MiB"},
		{"{\"a\":", '[', "longer than 16 MiB"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begun := time.Now()
		rest := &endless{b: test.b}
		_, err := Load(io.MultiReader(strings.NewReader(test.begin), rest))
		runtime.ReadMemStats(&after)
		if err == nil || err.Error() != test.want {
			t.Errorf("%q...: %v", test.begin, err)
		}
		if took := time.Since(begun); took > time.Minute {
			t.Errorf("%q%c...: took %v", test.begin, test.b, took)
		}
		if used := after.TotalAlloc - before.TotalAlloc; rest.read > 2*MaxSize || used > 128<<20 {
			t.Errorf("%q%c...: read %d bytes, allocated %d", test.begin, test.b, rest.read, used)
		}
	}
}

// TestLoadLongest loads a file of exactly the maximum size.
func TestLoadLongest(t *testing.T) {
	file := append([]byte("{}"), bytes.Repeat([]byte(" "), MaxSize-2)...)
	if _, err := Load(bytes.NewReader(file)); err != nil {
		t.Error(err)
	}
	if _, err := Load(bytes.NewReader(append(file, ' '))); err == nil {
		t.Error("a file with one byte more was accepted")
	}
}

func BenchmarkLoad(b *testing.B) {
	text, err := json.Marshal(Default(DefaultOptions{}))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Load(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
