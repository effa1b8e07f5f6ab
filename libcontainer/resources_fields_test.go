package libcontainer

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/internal/cgroups/devices"
	"github.com/berth-oci/berth/internal/cgroups/fs"
	"github.com/berth-oci/berth/internal/cgroups/fs2"
)

// Resources that have everything that a version of cgroups has.
const (
	resourcesBoth = `"devices": [{"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw"}],
		"cpu": {"shares": 512, "quota": 5000, "burst": 100, "period": 10000, "cpus": "0", "mems": "0"},
		"pids": {"limit": 7},
		"hugepageLimits": [{"pageSize": "2MB", "limit": 1}],
		"rdma": {"mlx5_0": {"hcaHandles": 1, "hcaObjects": 1}}`
	blockIODevices = `"weight": 20, "weightDevice": [{"major": 8, "minor": 0, "weight": 20}],
		"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}], "throttleWriteBpsDevice": [{"major": 8, "minor": 0, "rate": 1}],
		"throttleReadIOPSDevice": [{"major": 8, "minor": 0, "rate": 1}], "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 1}]`
	resourcesV1 = `{` + resourcesBoth + `, "memory": {"limit": 4096, "reservation": 1, "swap": 8192, "kernel": 1, "kernelTCP": 1, "swappiness": 1},
		"blockIO": {` + blockIODevices + `, "leafWeight": 20},
		"network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]}}`
	resourcesV2 = `{` + resourcesBoth + `, "memory": {"limit": 4096, "reservation": 1, "swap": 8192}, "blockIO": {` + blockIODevices + `},
		"unified": {"memory.high": "1"}}`
)

// unread are the fields that a version of cgroups does without, and why.
var unread = map[string]map[string]string{
	"v1": {"memory.checkBeforeUpdate": "the kernel itself refuses a limit below what is in use (EBUSY)"},
	"v2": {},
}

// TestEveryResourceIsReadOrRefused changes one field of linux.resources after
// the other, as the module of the specification has them: what is written to the
// cgroup must change, or an error name the field. It fails when a newer
// specification brings a field that berth would ignore.
func TestEveryResourceIsReadOrRefused(t *testing.T) {
	for version, text := range map[string]string{"v1": resourcesV1, "v2": resourcesV2} {
		t.Run(version, func(t *testing.T) {
			r := parsed(t, text)
			effect := effectOf(t, version)
			ignored := unreadFields(t, reflect.ValueOf(r).Elem(), func() (string, error) { return effect(r) })
			if want := slices.Sorted(maps.Keys(unread[version])); !slices.Equal(ignored, want) {
				t.Errorf("ignored: %q, want %q", ignored, want)
			}
		})
	}
}

// The same of what update passes on, and of what it remembers.
func TestEveryResourceIsUpdated(t *testing.T) {
	for version, text := range map[string]string{"v1": resourcesV1, "v2": resourcesV2} {
		t.Run(version, func(t *testing.T) {
			r := parsed(t, text)
			effect := effectOf(t, version)
			ignored := unreadFields(t, reflect.ValueOf(r).Elem(), func() (string, error) {
				return effect(completed(r, new(specs.LinuxResources)))
			})
			want := slices.Sorted(maps.Keys(unread[version]))
			for _, field := range []string{"access", "allow", "major", "minor", "type"} { // update leaves them
				want = append(want, "devices[0]."+field)
			}
			slices.Sort(want)
			if !slices.Equal(ignored, want) {
				t.Errorf("ignored: %q, want %q", ignored, want)
			}
		})
		t.Run(version+" remembered", func(t *testing.T) {
			r := parsed(t, text)
			ignored := unreadFields(t, reflect.ValueOf(r).Elem(), func() (string, error) {
				var saved specs.LinuxResources
				mergeResources(&saved, r)
				text, err := json.Marshal(saved)
				return string(text), err
			})
			ignored = slices.DeleteFunc(ignored, func(path string) bool { return strings.HasPrefix(path, "devices") })
			if len(ignored) > 0 {
				t.Errorf("forgotten: %q", ignored)
			}
		})
	}
}

// What the walk is for: a field that nobody reads is found.
func TestUnreadFieldIsFound(t *testing.T) {
	type newer struct {
		specs.LinuxResources
		Fresh *struct {
			Limit *int64 `json:"limit"`
			Names []struct {
				Name string `json:"name"`
			} `json:"names"`
		} `json:"fresh"`
	}
	r := newer{LinuxResources: *parsed(t, resourcesV2)}
	effect := effectOf(t, "v2")
	ignored := unreadFields(t, reflect.ValueOf(&r).Elem(), func() (string, error) { return effect(&r.LinuxResources) })
	want := append([]string{"fresh.limit", "fresh.names[0].name"}, slices.Sorted(maps.Keys(unread["v2"]))...)
	slices.Sort(want)
	if !slices.Equal(ignored, want) {
		t.Errorf("ignored: %q, want %q", ignored, want)
	}
}

// effectOf returns a function that says what a cgroup manager makes of
// resources: writes, and what the device rules become.
func effectOf(t *testing.T, version string) func(*specs.LinuxResources) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "memory.current"), []byte("5000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for _, controller := range strings.Fields("cpuset cpu memory pids blkio hugetlb rdma net_cls net_prio") {
		paths[controller] = dir
	}
	return func(r *specs.LinuxResources) (string, error) {
		var writes []cgroupfs.Write
		var rules any
		var err, bad error
		if version == "v1" {
			writes, err = fs.Plan(paths, r)
			rules, bad = devices.V1Lines(r.Devices)
		} else {
			writes, err = fs2.Plan(dir, r)
			rules, bad = devices.V2Program(r.Devices)
		}
		if err == nil && bad != nil {
			err = fmt.Errorf("set linux.resources.%w", bad)
		}
		text := fmt.Sprint(rules)
		for _, w := range writes {
			text += fmt.Sprintln(w.File, w.Value)
		}
		return text, err
	}
}

// unreadFields changes every leaf of v, and returns the paths of those that
// change no effect and no error names.
func unreadFields(t *testing.T, v reflect.Value, effect func() (string, error)) []string {
	t.Helper()
	base, err := effect()
	if err != nil {
		t.Fatal(err)
	}
	w := leafWalk{probe: func(path string) bool {
		text, err := effect()
		if err == nil {
			return text != base
		}
		list, _, _ := strings.Cut(path, "[")
		leaf := path[strings.LastIndex(path, ".")+1:]
		if msg := err.Error(); !strings.Contains(msg, "linux.resources."+list) && !strings.Contains(msg, leaf) {
			t.Errorf("changing %s: %v", path, err)
		}
		return true
	}}
	w.walk("", v, func() {})
	if w.seen < 40 {
		t.Errorf("only %d fields were seen", w.seen)
	}
	slices.Sort(w.ignored)
	return w.ignored
}

// leafWalk changes one leaf of a value after the other, and back.
type leafWalk struct {
	probe   func(path string) bool // reports whether the change has an effect
	seen    int
	ignored []string
}

// walk changes what is in v. A map's elements are copies, which store puts back.
func (w *leafWalk) walk(path string, v reflect.Value, store func()) {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	defer func() { v.Set(old); store() }()
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" && path != "" {
				name = "." + name
			}
			w.walk(path+name, v.Field(i), store)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		if !old.IsNil() {
			v.Elem().Set(old.Elem())
		}
		w.walk(path, v.Elem(), store)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		if old.Len() > 0 {
			v.Index(0).Set(old.Index(0))
		}
		w.walk(path+"[0]", v.Index(0), store)
	case reflect.Map:
		key := reflect.ValueOf("k")
		element := reflect.New(v.Type().Elem()).Elem()
		if !old.IsNil() {
			key = old.MapKeys()[0]
			element.Set(old.MapIndex(key))
		}
		v.Set(reflect.MakeMap(v.Type()))
		w.walk(fmt.Sprintf("%s[%q]", path, key), element, func() { v.SetMapIndex(key, element) })
	default:
		w.leaf(path, v, store)
	}
}

// leaf tries other values.
func (w *leafWalk) leaf(path string, v reflect.Value, store func()) {
	w.seen++
	for _, change := range []int64{1, -1, 6000} {
		old := reflect.New(v.Type()).Elem()
		old.Set(v)
		switch {
		case v.Kind() == reflect.String:
			v.SetString(v.String() + "1")
		case v.Kind() == reflect.Bool:
			v.SetBool(change > 0)
		case v.CanUint():
			v.SetUint(v.Uint() + uint64(change))
		default:
			v.SetInt(v.Int() + change)
		}
		store()
		effective := w.probe(path)
		v.Set(old)
		if effective {
			return
		}
	}
	w.ignored = append(w.ignored, path)
}
