package specconv

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// fullSpec returns a configuration with an element in each list that is
// checked.
func fullSpec() *specs.Spec {
	spec := Default(DefaultOptions{CgroupNamespace: true})
	spec.Linux.Namespaces[0].Path = "/proc/1/ns/pid"
	spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/fuse", Type: "b", Major: 10, Minor: 229}}
	// The test changes the first range; the second has the user.
	withUser(ids(70, 1070, 5, 0, 1000, 50), ids(70, 1070, 5, 0, 1000, 50))(spec)
	withOffsets(map[string]specs.LinuxTimeOffset{"boottime": {}})(spec)
	one := []specs.LinuxIDMapping{{Size: 1}}
	spec.Mounts[0].UIDMappings, spec.Mounts[0].GIDMappings = one, slices.Clone(one)
	spec.Process.User.AdditionalGids = []uint32{1}
	spec.Process.ConsoleSize = &specs.Box{}
	spec.Process.Scheduler = &specs.Scheduler{
		Policy: specs.SchedDeadline, Flags: []specs.LinuxSchedulerFlag{specs.SchedFlagReclaim},
		Runtime: 1 << 20, Deadline: 1 << 21, Period: 1 << 22,
	}
	spec.Process.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_BE}
	spec.Process.ExecCPUAffinity = &specs.CPUAffinity{Initial: "0", Final: "1"}
	spec.Linux.Personality = &specs.LinuxPersonality{Domain: specs.PerLinux32, Flags: []specs.LinuxPersonalityFlag{"UNAME26"}}
	spec.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: specs.MpolBind, Nodes: "0", Flags: []specs.MemoryPolicyFlagType{specs.MpolFStaticNodes}}
	errno := uint(1)
	spec.Linux.Seccomp = &specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &errno, Architectures: []specs.Arch{specs.ArchX86},
		Flags: []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog}, ListenerPath: "/s", ListenerMetadata: "m",
		Syscalls: []specs.LinuxSyscall{{
			Names: []string{"read"}, Action: specs.ActErrno, ErrnoRet: &errno,
			Args: []specs.LinuxSeccompArg{{Op: specs.OpEqualTo}},
		}},
	}
	hooks := []specs.Hook{{Path: "/bin/true", Args: []string{"true"}, Env: []string{"A=b"}, Timeout: ptr(1)}}
	spec.Hooks = &specs.Hooks{
		Prestart: hooks, CreateRuntime: hooks, CreateContainer: hooks,
		StartContainer: hooks, Poststart: hooks, Poststop: hooks,
	}
	return spec
}

// TestEveryFieldIsReadOrRefused changes one field after the other, as in the
// module of the specification: the result must change, or an error name the
// field. The test fails when a newer specification has a field that berth would
// ignore.
func TestEveryFieldIsReadOrRefused(t *testing.T) {
	base, err := Convert(fullSpec(), Options{Bundle: "/b"})
	if err != nil {
		t.Fatal(err)
	}
	w := fieldWalk{t: t, spec: fullSpec(), base: base}
	w.walk("", reflect.ValueOf(w.spec).Elem())
	if w.seen < 90 {
		t.Errorf("only %d fields were seen", w.seen)
	}
}

type fieldWalk struct {
	t    *testing.T
	spec *specs.Spec
	base *config.Config
	seen int
}

// walk changes v, which is at path, and everything in it, and restores it.
func (w *fieldWalk) walk(path string, v reflect.Value) {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	defer v.Set(old)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			w.walk(fieldPath(path, v.Type().Field(i)), v.Field(i))
		}
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
			if w.refused(path) {
				return
			}
		}
		w.walk(path, v.Elem())
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			if w.refused(path) {
				return
			}
		}
		w.walk(index(path, 0), v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), reflect.Zero(v.Type().Elem()))
		w.probe(path)
	case reflect.String:
		v.SetString(v.String() + "x")
		w.probe(path)
	case reflect.Bool:
		v.SetBool(!v.Bool())
		w.probe(path)
	default:
		if v.CanUint() {
			v.SetUint(v.Uint() + 1)
		} else {
			v.SetInt(v.Int() + 1)
		}
		w.probe(path)
	}
}

// refused reports whether the object or list at path is refused as a whole.
// Otherwise the test changes its fields, because an empty one may have no
// effect.
func (w *fieldWalk) refused(path string) bool {
	_, err := Convert(w.spec, Options{Bundle: "/b"})
	var field *config.FieldError
	return errors.As(err, &field) && field.Field == path
}

// probe converts, and fails the test if the result is the same and there is no
// error about the field.
func (w *fieldWalk) probe(path string) {
	w.seen++
	c, err := Convert(w.spec, Options{Bundle: "/b"})
	var field *config.FieldError
	switch {
	case err == nil:
		if reflect.DeepEqual(c, w.base) {
			w.t.Errorf("%s is ignored", path)
		}
	case !errors.As(err, &field) || !strings.HasPrefix(field.Field, path):
		w.t.Errorf("%s: a change of it returns %v", path, err)
	}
}

// fieldPath adds a field's JSON name to a path; an embedded struct has none.
func fieldPath(path string, f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return path
	}
	return strings.TrimPrefix(path+"."+name, ".")
}
