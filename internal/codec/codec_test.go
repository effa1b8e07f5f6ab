package codec

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/gen/jsoncode"
	"github.com/berth-oci/berth/libcontainer/config"
)

// checkDecode reports whether decode accepts a text, and fails if encoding/json reads
// another value.
func checkDecode[T any](t *testing.T, text []byte, decode func(string) (*T, bool)) bool {
	t.Helper()
	accepted, err := jsoncode.CompareDecode(text, decode)
	if err != nil {
		t.Error(err)
	}
	return accepted
}

func TestReaders(t *testing.T) {
	for name, err := range map[string]error{
		"Spec":      jsoncode.CompareReader(DecodeSpec),
		"Process":   jsoncode.CompareReader(DecodeProcess),
		"Resources": jsoncode.CompareReader(DecodeResources),
		"Mounts":    jsoncode.CompareReader(DecodeMounts),
		"Config":    jsoncode.CompareReader(DecodeConfig),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriters(t *testing.T) {
	for name, err := range map[string]error{
		"Config":       jsoncode.CompareWriter(EncodeConfig),
		"State":        jsoncode.CompareWriter(EncodeState),
		"ProcessState": jsoncode.CompareWriter(EncodeProcessState),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// samples are texts of which DecodeSpec declines some.
var samples = []struct {
	text     string
	accepted bool
}{
	{`{}`, true},
	{" \t\r\n{ \"ociVersion\" : \"1\" , \"x\" : [ 1 , { } ] } ", true},
	{`{"mounts":null,"process":null,"root":null,"hostname":null,"annotations":null}`, true},
	{`{"mounts":[],"annotations":{},"process":{"args":[],"user":null}}`, true},
	{`{"mounts":[null,{"options":[null,"a"]}],"annotations":{"a":null,"a":"b","b":"c","b":null}}`, true},
	{`{"annotations":{"\u0061\ud83d\ude00":"\"\\\/\b\f\n\r\t\u2028\u00e9"}}`, true},
	{`{"oci\u0056ersion":"1"}`, true},
	{`{"unknown":{"a":[[],{},"\ud83d\ude00\n",-1.5e+7,0.25,1E-5,true,false,null,[1,2],{"b":{}}]}}`, true},
	{`{"process":{"user":{"uid":4294967295,"umask":0},"oomScoreAdj":-0,"rlimits":[{"hard":18446744073709551615,"soft":0}]}}`, true},
	{`{"linux":{"resources":{"memory":{"limit":-9223372036854775808,"swap":9223372036854775807}}}}`, true},

	{``, false},
	{` `, false},
	{`null`, false},
	{`[]`, false},
	{`{`, false},
	{`{}}`, false},
	{`{},`, false},
	{`{,}`, false},
	{`{"a":1,}`, false},
	{`{"a" 1}`, false},
	{`{"a":}`, false},
	{`{"mounts":[{},]}`, false},
	{`{"mounts":[,{}]}`, false},
	{`{"mounts":[{} {}]}`, false},
	{`{"mounts":[{}}`, false},
	{`{"mounts":{}}`, false},
	{`{"OCIVERSION":"1"}`, false},
	{`{"ociVerſion":"1"}`, false},
	{`{"hoſtname":"a","root":{"path":"a"}}`, false},
	{`{"ociVersion":"1","ociVersion":"2"}`, false},
	{`{"root":{"path":"a"},"root":{"readonly":true}}`, false},
	{`{"ociVersion":1}`, false},
	{`{"ociVersion":tru}`, false},
	{`{"ociVersion":nul}`, false},
	{`{"ociVersion":nullx}`, false},
	{`{"ociVersion":"a}`, false},
	{"{\"ociVersion\":\"a\n\"}", false},
	{"{\"ociVersion\":\"a\\\"\n\"}", false},
	{"{\"ociVersion\":\"\xff\"}", false},
	{"\xef\xbb\xbf{}", false},
	{"{\"\x00\":1}", false},
	{"{}\x00", false},
	{`{"ociVersion":"\x"}`, false},
	{`{"ociVersion":"\u12"}`, false},
	{`{"ociVersion":"\u12g4"}`, false},
	{`{"ociVersion":"\ud800"}`, false},
	{`{"ociVersion":"\ud800\u0041"}`, false},
	{`{"ociVersion":"\ud800\n"}`, false},
	{`{"ociVersion":"\udc00\ud800"}`, false},
	{`{"ociVersion":"\`, false},
	{`{"ociVersion":"\u`, false},
	{`{"process":{"terminal":1}}`, false},
	{`{"process":{"terminal":truefalse}}`, false},
	{`{"process":{"user":{"uid":4294967296}}}`, false},
	{`{"process":{"user":{"uid":-1}}}`, false},
	{`{"process":{"user":{"uid":-0}}}`, false},
	{`{"process":{"user":{"uid":1.0}}}`, false},
	{`{"process":{"user":{"uid":1e3}}}`, false},
	{`{"process":{"user":{"uid":01}}}`, false},
	{`{"process":{"user":{"uid":"1"}}}`, false},
	{`{"process":{"oomScoreAdj":00}}`, false},
	{`{"process":{"oomScoreAdj":-}}`, false},
	{`{"process":{"oomScoreAdj":+1}}`, false},
	{`{"process":{"oomScoreAdj":9223372036854775808}}`, false},
	{`{"process":{"oomScoreAdj":-9223372036854775809}}`, false},
	{`{"process":{"rlimits":[{"hard":18446744073709551616}]}}`, false},
	{`{"process":{"rlimits":[{"hard":99999999999999999999999}]}}`, false},
	{`{"windows":[]}`, false},
	{`{"windows":1}`, false},
	{`{"x":01}`, false},
	{`{"x":1.}`, false},
	{`{"x":.5}`, false},
	{`{"x":1e}`, false},
	{`{"x":1e+}`, false},
	{`{"x":-}`, false},
	{`{"x":nan}`, false},
}

func TestSamples(t *testing.T) {
	for _, s := range samples {
		if got := checkDecode(t, []byte(s.text), DecodeSpec); got != s.accepted {
			t.Errorf("%q: accepted %v", s.text, got)
		}
	}
}

// TestPlatforms reads the sections of other platforms, of which only the presence counts.
func TestPlatforms(t *testing.T) {
	s, ok := DecodeSpec(`{"windows":{"layerFolders":[{"a":null}],"layerFolders":1},"vm":null,"zos":{}}`)
	if !ok || s.Windows == nil || s.VM != nil || s.ZOS == nil || s.Solaris != nil {
		t.Errorf("got %+v, %v", s, ok)
	}
	for _, text := range []string{`{"windows":[]}`, `{"windows":1}`, `{"windows":{}`, `{"windows":{"a":}}`, `{"windows":{},"windows":{}}`, `{"Windows":{}}`} {
		if _, ok := DecodeSpec(text); ok {
			t.Errorf("%s: accepted", text)
		}
	}
}

// TestDepth nests unknown values.
func TestDepth(t *testing.T) {
	nested := func(begin, end string, depth int) []byte {
		return []byte(`{"x":` + strings.Repeat(begin, depth) + "1" + strings.Repeat(end, depth) + `}`)
	}
	for _, begin := range []string{"[", `{"a":`, `[{"b":`} {
		end := strings.Map(func(c rune) rune { return map[rune]rune{'[': ']', '{': '}'}[c] }, strings.Trim(begin, `"ab:`))
		if begin[0] == '[' && len(begin) > 1 {
			end = "}]"
		}
		if !checkDecode(t, nested(begin, end, 40), DecodeSpec) {
			t.Errorf("%s: declined", begin)
		}
		if checkDecode(t, nested(begin, end, 5000), DecodeSpec) {
			t.Errorf("%s: accepted", begin)
		}
		if _, ok := DecodeSpec(string(nested(begin, end, 1_000_000))); ok {
			t.Errorf("%s: accepted", begin)
		}
	}
}

// TestListsDoNotOverlap appends to a list, after which the next one must be unchanged.
func TestListsDoNotOverlap(t *testing.T) {
	p, ok := DecodeProcess(`{"args":["a"],"env":["b"]}`)
	if !ok {
		t.Fatal("declined")
	}
	if p.Args = append(p.Args, "c"); p.Env[0] != "b" {
		t.Errorf("env is %q", p.Env)
	}
}

// engineFiles are the configurations that engines write.
func engineFiles(tb testing.TB) map[string][]byte {
	tb.Helper()
	files := map[string][]byte{}
	for _, pattern := range []string{"testdata/*.json", "../../specconv/testdata/default*.json"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) < 3 {
			tb.Fatalf("%s: found %q, %v", pattern, names, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				tb.Fatal(err)
			}
			files[name] = text
		}
	}
	return files
}

// TestRealFiles fails if files of engines are declined: commands would be slower, with no
// other sign of it.
func TestRealFiles(t *testing.T) {
	for name, text := range engineFiles(t) {
		if !checkDecode(t, text, DecodeSpec) {
			t.Errorf("%s: declined", name)
		}
		var file struct{ Process, Mounts json.RawMessage }
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		if !checkDecode(t, file.Process, DecodeProcess) || !checkDecode(t, file.Mounts, DecodeMounts) {
			t.Errorf("%s: process or mounts declined", name)
		}
	}
	profiles, err := filepath.Glob("../../seccomp/testdata/*.json")
	if err != nil || len(profiles) < 3 {
		t.Fatalf("found %q, %v", profiles, err)
	}
	for _, name := range profiles {
		profile, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !checkDecode(t, fmt.Appendf(nil, `{"linux":{"seccomp":%s}}`, profile), DecodeSpec) {
			t.Errorf("%s: declined", name)
		}
	}
}

func addSamples(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s.text))
	}
	for _, text := range engineFiles(f) {
		f.Add(text)
	}
}

func FuzzSpec(f *testing.F) {
	addSamples(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		// DecodeSpec reads only the presence of the sections of other platforms, so it
		// accepts more; specconv.FuzzLoad compares these texts.
		if s, ok := DecodeSpec(string(text)); ok && s.Solaris == nil && s.Windows == nil && s.VM == nil && s.ZOS == nil && s.FreeBSD == nil {
			checkDecode(t, text, DecodeSpec)
		}
	})
}

func FuzzProcess(f *testing.F) {
	f.Add([]byte(`{"terminal":true,"user":{"uid":1,"additionalGids":[2,3]},"args":["sh"],"env":["A=b"],"cwd":"/","rlimits":[{"type":"a","hard":1}]}`))
	fuzzRandom[specs.Process](f)
	f.Fuzz(func(t *testing.T, text []byte) { checkDecode(t, text, DecodeProcess) })
}

func FuzzResources(f *testing.F) {
	fuzzRandom[specs.LinuxResources](f)
	f.Fuzz(func(t *testing.T, text []byte) { checkDecode(t, text, DecodeResources) })
}

func FuzzMounts(f *testing.F) {
	fuzzRandom[[]specs.Mount](f)
	f.Fuzz(func(t *testing.T, text []byte) { checkDecode(t, text, DecodeMounts) })
}

// FuzzConfig decodes a text, and encodes its value.
func FuzzConfig(f *testing.F) {
	fuzzRandom[config.Config](f)
	f.Fuzz(func(t *testing.T, text []byte) {
		checkDecode(t, text, DecodeConfig)
		var c config.Config
		if json.Unmarshal(text, &c) != nil {
			return
		}
		if err := jsoncode.CompareEncode(&c, EncodeConfig); err != nil {
			t.Error(err)
		}
	})
}

// FuzzText encodes any bytes as a string, and decodes the result.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a\"b\\", "<&>", "\x00\x1f\x7f", "\u2028\u2029", "\xff\xed\xa0\x80", "\U0010ffff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v := specs.State{ID: s, Annotations: map[string]string{s: s, "a": "b"}}
		if err := jsoncode.CompareEncode(&v, EncodeState); err != nil {
			t.Error(err)
		}
		text, err := json.Marshal(specs.Process{Cwd: s, Args: []string{s, s}})
		if err != nil || !checkDecode(t, text, DecodeProcess) {
			t.Errorf("%q: declined, %v", s, err)
		}
	})
}

// fuzzRandom adds random values of a type to the corpus.
func fuzzRandom[T any](f *testing.F) {
	for _, text := range jsoncode.Samples[T]() {
		f.Add(text)
	}
}

func BenchmarkSpec(b *testing.B) {
	text, err := os.ReadFile("testdata/docker.json")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := DecodeSpec(string(text)); !ok {
			b.Fatal("declined")
		}
	}
}

func BenchmarkEncodeConfig(b *testing.B) {
	c := jsoncode.Random[config.Config](rand.New(rand.NewPCG(7, 8)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := EncodeConfig(c); !ok {
			b.Fatal("declined")
		}
	}
}
