package specconv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
)

// slot is a value in a specification, with its path.
type slot struct {
	path string
	v    reflect.Value
}

// slots returns all values of a kind in v, at path: strings, or lists and maps.
func slots(path string, v reflect.Value, wanted func(reflect.Kind) bool) (found []slot) {
	if wanted(v.Kind()) && v.CanSet() {
		found = append(found, slot{path, v})
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			found = append(found, slots(path, v.Elem(), wanted)...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			found = append(found, slots(path+"."+v.Type().Field(i).Name, v.Field(i), wanted)...)
		}
	case reflect.Slice:
		if v.Len() > 0 { // the others are alike
			found = append(found, slots(path+"[0]", v.Index(0), wanted)...)
		}
	}
	return found
}

func isList(k reflect.Kind) bool { return k == reflect.Slice || k == reflect.Map }
func isText(k reflect.Kind) bool { return k == reflect.String }

// fill puts n elements like the first one into a list or a map.
func fill(list reflect.Value, n int, distinct bool) {
	t := list.Type()
	if t.Kind() == reflect.Map {
		m := reflect.MakeMap(t)
		for i := range n {
			m.SetMapIndex(reflect.ValueOf(fmt.Sprintf("net.a%d", i)).Convert(t.Key()), reflect.Zero(t.Elem()))
		}
		list.Set(m)
		return
	}
	first := reflect.Zero(t.Elem())
	if list.Len() > 0 {
		first = list.Index(0)
	}
	out := reflect.MakeSlice(t, n, n)
	for i := range n {
		one := out.Index(i)
		one.Set(first)
		if distinct {
			vary(one, i)
		}
	}
	list.Set(out)
}

// vary makes an element differ from the others: its paths, variables and numbers.
func vary(v reflect.Value, i int) {
	switch {
	case v.Kind() == reflect.Struct:
		for k := range v.NumField() {
			switch v.Type().Field(k).Name {
			case "Path", "Destination", "Minor", "ContainerID", "HostID", "Value":
				vary(v.Field(k), i)
			}
		}
	case v.Kind() == reflect.String && strings.HasPrefix(v.String(), "/"):
		v.SetString(fmt.Sprintf("/x%d%s", i, v.String()))
	case v.Kind() == reflect.String && strings.Contains(v.String(), "="):
		v.SetString(fmt.Sprintf("X%d=", i))
	case v.Kind() == reflect.Int64:
		v.SetInt(int64(i))
	case v.Kind() == reflect.Uint32, v.Kind() == reflect.Uint64:
		v.SetUint(uint64(i))
	}
}

// largeSpec is fullSpec with more lists and maps.
func largeSpec() *specs.Spec {
	spec := fullSpec()
	spec.Linux.Sysctl = map[string]string{}
	spec.Linux.NetDevices = map[string]specs.LinuxNetDevice{}
	spec.Linux.IntelRdt = &specs.LinuxIntelRdt{Schemata: []string{"L3:0=f"}}
	spec.Linux.MountLabel = "label"
	spec.Annotations = map[string]string{}
	spec.Mounts = []specs.Mount{{Destination: "/m", Type: "tmpfs", Source: "m", Options: []string{"ro"}}}
	spec.Linux.Resources.Unified = map[string]string{}
	return spec
}

// allocated returns the bytes that a conversion allocates.
func allocated(t *testing.T, spec *specs.Spec) (bytes uint64, err error) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = Convert(spec, Options{Bundle: "/b"})
	runtime.ReadMemStats(&after)
	if err != nil && len(err.Error()) > 2000 {
		t.Errorf("an error of %d bytes: %.300s", len(err.Error()), err)
	}
	return after.TotalAlloc - before.TotalAlloc, err
}

// TestManyElements fills one list or map after the other: the work grows with the elements,
// not with their square.
func TestManyElements(t *testing.T) {
	const few, many = 2000, 16 * 2000
	grown := 0
	for i, list := range slots("", reflect.ValueOf(largeSpec()).Elem(), isList) {
		for _, distinct := range []bool{false, true} {
			var sizes [2]uint64
			var err error
			for k, n := range []int{few, many} {
				spec := largeSpec()
				fill(slots("", reflect.ValueOf(spec).Elem(), isList)[i].v, n, distinct)
				sizes[k], err = allocated(t, spec)
			}
			if err == nil {
				grown++
			}
			if sizes[1] > 64<<10+3*sizes[0]*many/few || sizes[1] > many*4000 {
				t.Errorf("%s, distinct %v: %d bytes for %d elements, %d for %d", list.path, distinct, sizes[0], few, sizes[1], many)
			}
		}
	}
	if grown < 30 { // the others are refused
		t.Errorf("only %d lists were converted", grown)
	}
}

// TestLongStrings makes one string after the other long, and the lists as well: the result
// does not have the string for each element of a list.
func TestLongStrings(t *testing.T) {
	const long, elements = 64 << 10, 200
	spec := largeSpec()
	for i, text := range slots("", reflect.ValueOf(spec).Elem(), isText) {
		for k, list := range slots("", reflect.ValueOf(spec).Elem(), isList) {
			spec := largeSpec()
			v := slots("", reflect.ValueOf(spec).Elem(), isText)[i].v
			v.SetString(v.String() + strings.Repeat("/a", long/2))
			if !strings.HasPrefix(text.path, list.path) {
				fill(slots("", reflect.ValueOf(spec).Elem(), isList)[k].v, elements, true)
			}
			if n, _ := allocated(t, spec); n > 12*long+elements*4000 {
				t.Errorf("%s of %d bytes, %s with %d elements: %d bytes", text.path, long, list.path, elements, n)
			}
		}
	}
}

// TestLongLists has the lists that are strings, of ten megabytes. The bound is for the whole
// test on a busy machine: with work for each CPU of each range it takes a minute.
func TestLongLists(t *testing.T) {
	const ranges = 1 << 20
	began := time.Now()
	words, err := bitmap("f", "CPU", strings.Repeat("0-8191,", ranges)+"0", cpuMost)
	if err != nil || len(words) != cpuMost/64 || slices.ContainsFunc(words, func(w uint64) bool { return w != 1<<64-1 }) {
		t.Errorf("%v, %v", words, err)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("%v for %d ranges", d, ranges)
	}
	_, err = bitmap("f", "CPU", "1-"+strings.Repeat("0", ranges), cpuMost)
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("%.500v", err)
	}
	if words := splitOption(strings.Repeat(",", ranges)); len(words) != 0 || cap(words) != 0 {
		t.Errorf("%d words, capacity %d", len(words), cap(words))
	}
	err = overlayPaths("f", []string{"lowerdir=" + strings.Repeat("a:", layersMost)}, "/b")
	if err == nil || !strings.Contains(err.Error(), "501 directories in lowerdir") {
		t.Errorf("%.500v", err)
	}
	if err := overlayPaths("f", []string{"lowerdir=" + strings.Repeat("a:", layersMost-1)}, "/b"); err != nil {
		t.Error(err)
	}
}

func TestBitmapIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		first, last := r.IntN(300), r.IntN(300)
		if first > last {
			first, last = last, first
		}
		words := setBits([]uint64{1 << 63, 0, 5}, first, last)
		for n := range 64 * max(3, last/64+1) {
			want := n == 63 || n == 128 || n == 130 || first <= n && n <= last
			if got := words[n/64]>>(n%64)&1 == 1; got != want {
				t.Fatalf("%d-%d: bit %d is %v", first, last, n, got)
			}
		}
	}
}

// TestManyUnknownCapabilities: each has a warning in the log and in the saved configuration.
func TestManyUnknownCapabilities(t *testing.T) {
	spec := largeSpec()
	for i := range 1000 {
		spec.Process.Capabilities.Bounding = append(spec.Process.Capabilities.Bounding, fmt.Sprint("CAP_", i))
	}
	cfg, err := Convert(spec, Options{Bundle: "/b"})
	if err != nil {
		t.Fatal(err)
	}
	w := cfg.Process.Warnings
	if len(w) != warningsMost+1 || w[warningsMost] != "process.capabilities: 936 more unknown names are ignored" {
		t.Errorf("%d warnings: %q", len(w), w)
	}
}

// TestPathsOnce: a second mount on the same path hides nothing more.
func TestPathsOnce(t *testing.T) {
	spec := largeSpec()
	spec.Linux.MaskedPaths = []string{"/proc/keys", "/a", "/proc//keys", "/a/."}
	spec.Linux.ReadonlyPaths = slices.Repeat([]string{"/b"}, 3)
	cfg, err := Convert(spec, Options{Bundle: "/b"})
	if err != nil || !slices.Equal(cfg.MaskedPaths, []string{"/proc/keys", "/a"}) || !slices.Equal(cfg.ReadonlyPaths, []string{"/b"}) {
		t.Errorf("%q, %q, %v", cfg.MaskedPaths, cfg.ReadonlyPaths, err)
	}
	spec.Linux.MaskedPaths = []string{"/a", "/a", "/."}
	_, err = Convert(spec, Options{Bundle: "/b"})
	var field *config.FieldError
	if !errors.As(err, &field) || field.Field != "linux.maskedPaths[2]" {
		t.Error(err)
	}
}

// TestTooManyValues: a list of empty objects needs a hundred times the memory of the file.
func TestTooManyValues(t *testing.T) {
	list := func(n int, element string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + "]"
	}
	for _, test := range []struct {
		text string
		want string // in the error
	}{
		{list(MaxValues, "{}"), "destination"},
		{list(MaxValues+1, "{}"), "more than 1048576 values"},
		{list(MaxValues+1, "null"), "more than 1048576 values"},
		{`[{"source": "` + strings.Repeat(",", MaxValues+1) + `"}]`, "destination"},
		{`[{"source": "` + strings.Repeat(`\",`, MaxValues+1) + `"}]`, "destination"},
	} {
		mounts, err := LoadMounts(strings.NewReader(test.text))
		if err == nil {
			_, err = ConvertMounts(mounts, &config.Config{})
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.20s...: got %v, want %s", test.text, err, test.want)
		}
	}
}
