package specconv

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/gen/jsoncode"
	"github.com/berth-oci/berth/libcontainer/config"
)

// FuzzConvert calls Load and Convert with arbitrary files. It accepts no panic,
// no error longer than a line or about anything but the configuration, and no
// relative path.
func FuzzConvert(f *testing.F) {
	for _, o := range []DefaultOptions{{}, {CgroupNamespace: true}, {Rootless: true}} {
		file, err := json.Marshal(Default(o))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file)
	}
	for _, file := range []string{
		"", "null", "{}", "[", `{"linux": {"namespaces": [null]}}`, `{"process": {"args": 5}}`, `{"mounts": [null, {"options": [null]}]}`,
		`{"ociVersion":"1.0.0","process":{"cwd":"/","args":["a"],"user":{"additionalGids":[null]},"env":["a=b","a="],"capabilities":{"ambient":["CAP_X"]}},
		"root":{"path":".."},"mounts":[{"destination":"/../a","options":["rbind","rro","rslave"],"source":"."},{"destination":"/b","type":"t","options":["a=b","sync","async"]}],
		"linux":{"namespaces":[{"type":"mount"},{"type":"pid","path":"/.."}],"devices":[{"path":"/dev/null","type":"p","fileMode":8630}],"resources":{"devices":[{"allow":true}]}}}`,
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		spec, err := Load(bytes.NewReader(file))
		if err != nil {
			checkError(t, err)
			return
		}
		c, err := Convert(spec, Options{Bundle: "/bundle"})
		if err != nil {
			checkError(t, err)
			return
		}
		for _, path := range append(append([]string{c.Rootfs, c.Process.Cwd}, c.MaskedPaths...), c.ReadonlyPaths...) {
			checkPath(t, path)
		}
		for _, m := range c.Mounts {
			checkPath(t, m.Destination)
			if m.Bind && !m.Remount {
				checkPath(t, m.Source)
			}
		}
		for _, d := range c.Devices {
			checkPath(t, d.Path)
		}
	})
}

// FuzzLoad compares Load with encoding/json on the specification's own type:
// the fields that specFile hides must make no difference.
func FuzzLoad(f *testing.F) {
	file, err := json.Marshal(Default(DefaultOptions{Rootless: true}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(file)
	for _, file := range []string{
		`{"a": [[], {}, "\ud83d\ude00\n", -1.5e+7, true, false, null, [1, 2], {"b": {}}]}`,
		`{"OCIVERSION": "\ud800x", "root": null, "process": {"user": {"umask": 18, "uid": 4294967295, "additionalGids": [1, 2, 3]}, "oomScoreAdj": -0}}`,
		`{"linux": {"resources": {"rdma": {"a": {"hcaHandles": 3}}, "blockIO": {"weightDevice": [{"major": 1, "minor": -2, "weight": 3}, null]}, "unified": {"x": "y", "z": null}}}}`,
		`{"windows": {"layerFolders": []}, "annotations": {}, "mounts": [], "hooks": {"prestart": [{"timeout": 3}]}}`,
		`{"x": {"y": [1e999, "]"]}, "mounts": [{}, {"options": ["a", {"b": [1]}]}]}`,
	} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := Load(bytes.NewReader(file))
		if err != nil {
			checkError(t, err)
			return
		}
		compareParsed(t, file, got)
		var want specs.Spec
		// An error may be about a section for another platform; Load reads the
		// rest nevertheless.
		_ = json.Unmarshal(file, &want)
		for _, row := range refusedInSpec {
			if row.set(got) != row.set(&want) {
				t.Errorf("%s: only one read it", row.field)
			}
		}
		for _, spec := range []*specs.Spec{got, &want} {
			spec.Windows, spec.Solaris, spec.VM, spec.ZOS, spec.FreeBSD = nil, nil, nil, nil, nil
		}
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("read %+v\nencoding/json: %+v", *got, want)
		}
	})
}

// compareParsed compares what Load has read with the result of encoding/json.
func compareParsed(t *testing.T, file []byte, got *specs.Spec) {
	t.Helper()
	want, err := parse[specFile](file)
	if err != nil {
		t.Errorf("%q: accepted; encoding/json: %v", file, err)
	} else if !reflect.DeepEqual(got, want.spec()) {
		t.Errorf("%q: read %+v\nencoding/json: %+v", file, got, want.spec())
	}
}

// TestParse parses changed configurations, with sections of other platforms.
func TestParse(t *testing.T) {
	const others = `{"windows":{"network":{"a":[1,"b"]}},"vm":null,"zos":{},"freebsd":{"jail":{}},`
	r := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for _, sample := range jsoncode.Samples[specs.Spec]() {
		file := append([]byte(others), bytes.TrimPrefix(sample, []byte("{"))...)
		for range 200 {
			if spec, err := Parse(file); err == nil {
				compareParsed(t, file, spec)
				accepted++
			}
			file = jsoncode.Mutate(r, file[:len(file):len(file)])
			if r.IntN(3) == 0 {
				file = append([]byte(others), bytes.TrimPrefix(sample, []byte("{"))...)
			}
		}
	}
	if accepted < 200 {
		t.Errorf("accepted %d", accepted)
	}
}

func checkError(t *testing.T, err error) {
	t.Helper()
	if s := err.Error(); strings.ContainsAny(s, "\n\x00") || len(s) > 1000 || !errors.Is(err, config.ErrInvalid) {
		t.Errorf("error %q", s)
	}
}

func checkPath(t *testing.T, path string) {
	t.Helper()
	if path == "" || path[0] != '/' || strings.Contains(path+"/", "/../") || strings.ContainsRune(path, 0) {
		t.Errorf("path %q", path)
	}
}
