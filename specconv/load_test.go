package specconv

import (
	"bytes"
	"errors"
	"io"
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
	if _, err = LoadProcess(strings.NewReader(`{"args": [1]}`)); err == nil || err.Error() != "args[0]: want a string, found a number" {
		t.Error(err)
	}
	r, err := LoadResources(strings.NewReader(`{"pids": {"limit": 7}}`))
	if err != nil || *r.Pids.Limit != 7 {
		t.Errorf("resources %+v, %v", r, err)
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
		{"\xef\xbb\xbf{}", "want an object, found the byte 0xef"},
		{"ociVersion: 1.0.0", "want an object, found the byte 0x6f"},
		{"{", "line 1, column 2: the file ends too early: unexpected EOF"},
		{"{\"a\":\n  \"b", "line 2, column 5: the file ends too early: unexpected EOF"},
		{"{\n\t\"a\": 1,\n}", "line 3, column 1: want a key, found '}'"},
		{`{"a": nul}`, "line 1, column 10: want null, found '}'"},
		{"{} x", "line 1, column 4: want the end of the file, found 'x'"},
		{"{}{}", "line 1, column 3: want the end of the file, found '{'"},
		{"{}\x00", `line 1, column 3: want the end of the file, found '\x00'`},
		{"{\n\"root\": {\"path\": \"a\xffb\"}}", "line 2, column 20: not UTF-8"},
		{`{"root": {"path": "` + "a\nb" + `"}}`, `line 1, column 21: want an escaped control character, found '\n'`},
		{`{"a":` + strings.Repeat("[", 1<<20), "line 1, column 1005: nested deeper than 1000"},

		{`{"a": [1,]}`, "line 1, column 10: want a value, found ']'"},
		{`{"a": [1 2]}`, `line 1, column 10: want "," or "]", found '2'`},
		{`{"a": 1 "b": 2}`, `line 1, column 9: want "," or "}", found '"'`},
		{`{"a" 1}`, `line 1, column 6: want ":", found '1'`},
		{`{a: 1}`, `line 1, column 2: want a key, found 'a'`},
		{`{"a": 01}`, `line 1, column 8: want "," or "}", found '1'`},
		{`{"a": -}`, `line 1, column 8: want a digit, found '}'`},
		{`{"a": 1.}`, `line 1, column 9: want a digit, found '}'`},
		{`{"a": 1e+}`, `line 1, column 10: want a digit, found '}'`},
		{`{"a": +1}`, `line 1, column 7: want a value, found '+'`},
		{`{"a": é}`, `line 1, column 7: want a value, found 'é'`},
		{`{"a": "\x"}`, `line 1, column 7: a string with a wrong escape sequence`},
		{`{"a": "\`, `line 1, column 9: the file ends too early: unexpected EOF`},

		{`{"root": {}, "hostname": "", "root": {}}`, "root: is there twice"},
		{`{"process": {"cwd": "/", "CWD": "/"}}`, "process.CWD: is there twice"},
		{`{"annotations": {"a": "", "\u0061": ""}}`, "annotations.a: is there twice"},
		{`{"linux": {"resources": {"blockIO": {"weightDevice": [{"major": 1, "weight": "x"}]}}}}`, "linux.resources.blockIO.weightDevice[0].weight: want a whole number from 0 to 65535, found a string"},
		{`{"process": {"args": 5}}`, "process.args: want an array of strings, found a number"},
		{`{"process": {"args": "sh"}}`, "process.args: want an array of strings, found a string"},
		{`{"process": {"args": ["sh", {}]}}`, "process.args[1]: want a string, found an object"},
		{`{"process": []}`, "process: want an object, found an array"},
		{`{"process": {"terminal": "yes"}}`, "process.terminal: want true or false, found a string"},
		{`{"process": {"user": {"uid": -1}}}`, "process.user.uid: want a whole number from 0 to 4294967295, found -1"},
		{`{"process": {"user": {"uid": 4294967296}}}`, "process.user.uid: want a whole number from 0 to 4294967295, found 4294967296"},
		{`{"process": {"user": {"uid": 1.5}}}`, "process.user.uid: want a whole number from 0 to 4294967295, found 1.5"},
		{`{"process": {"user": {"additionalGids": [1, true]}}}`, "process.user.additionalGids[1]: want a whole number from 0 to 4294967295, found a boolean"},
		{`{"process": {"user": {"additionalGids": {}}}}`, "process.user.additionalGids: want an array of numbers, found an object"},
		{`{"process": {"oomScoreAdj": 1e99}}`, "process.oomScoreAdj: want a whole number from -9223372036854775808 to 9223372036854775807, found 1e99"},
		{`{"process": {"rlimits": [{"soft": 18446744073709551616}]}}`, "process.rlimits[0].soft: want a whole number from 0 to 18446744073709551615, found 18446744073709551616"},
		{`{"mounts": [{}, {"x": [[{"a": [1]}]], "options": ["ro", 1]}]}`, "mounts[1].options[1]: want a string, found a number"},
		{`{"mounts": {}}`, "mounts: want an array of objects, found an object"},
		{`{"linux": {"sysctl": {"a.b": 1}}}`, `linux.sysctl["a.b"]: want a string, found a number`},
		{`{"linux": {"resources": {"cpu": {"shares": "` + strings.Repeat("9", 1000) + `"}}}}`, "linux.resources.cpu.shares: want a whole number from 0 to 18446744073709551615, found a string"},
		{`{"linux": {"resources": {"cpu": {"shares": ` + strings.Repeat("9", 1000) + `}}}}`, "linux.resources.cpu.shares: want a whole number from 0 to 18446744073709551615, found " + strings.Repeat("9", 40)},
		{`{"annotations": {"a\nb": 1}}`, `annotations["a\nb"]: want a string, found a number`},
		{`{"annotations": {"": 1}}`, `annotations[""]: want a string, found a number`},
		{`{"annotations": {"a": null, "b": []}}`, "annotations.b: want a string, found an array"},
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
	if _, err = Load(strings.NewReader("{")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// endless gives one byte again and again, and counts.
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

// TestLoadBounded gives Load what never ends.
func TestLoadBounded(t *testing.T) {
	for _, test := range []struct {
		begin string
		b     byte
		most  int
		want  string
	}{
		{"", '[', 1 << 20, "want an object, found an array"},
		{"", ' ', 64 << 20, "longer than 16 MiB"},
		{"{\"a\":", '[', 64 << 20, "longer than 16 MiB"},
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
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%q%c...: took %v", test.begin, test.b, took)
		}
		if used := after.TotalAlloc - before.TotalAlloc; rest.read > test.most || used > 128<<20 {
			t.Errorf("%q%c...: read %d bytes, allocated %d", test.begin, test.b, rest.read, used)
		}
	}
}

// TestLoadLongest takes a file of exactly the longest size.
func TestLoadLongest(t *testing.T) {
	file := append([]byte("{}"), bytes.Repeat([]byte(" "), MaxSize-2)...)
	if _, err := Load(bytes.NewReader(file)); err != nil {
		t.Error(err)
	}
	if _, err := Load(bytes.NewReader(append(file, ' '))); err == nil {
		t.Error("one byte more was taken")
	}
}
