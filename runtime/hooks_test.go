package ociruntime_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer"
	"github.com/berth-oci/berth/libcontainer/config"
	ociruntime "github.com/berth-oci/berth/runtime"
)

func TestHookFunctions(t *testing.T) {
	rt, spec := setup(t, "sleep")
	spec.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/bin/false"}}} // only a warning
	var seen []string
	functions := map[config.HookKind][]config.HookFunction{}
	for _, kind := range config.HookKinds {
		functions[kind] = []config.HookFunction{func(_ context.Context, s specs.State) error {
			seen = append(seen, fmt.Sprintf("%s %s %s %t", kind, s.ID, s.Status, s.Pid > 0))
			return nil
		}}
	}
	c, err := rt.Create(t.Context(), "c", ociruntime.CreateOptions{Bundle: t.TempDir(), Spec: spec, Hooks: functions})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Delete(t.Context(), ociruntime.DeleteOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"prestart c creating true", "createRuntime c creating true", "createContainer c creating true",
		"startContainer c created true", "poststart c running true", "poststop c stopped false",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("seen:\n%s\nwant:\n%s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
	}
}

func TestHookFunctionFails(t *testing.T) {
	cause := errors.New("cause")
	fail := []config.HookFunction{func(context.Context, specs.State) error { return cause }}
	for _, kind := range config.HookKinds[:5] {
		rt, spec := setup(t, "sleep")
		ended := 0
		functions := map[config.HookKind][]config.HookFunction{
			kind:            fail,
			config.Poststop: {func(context.Context, specs.State) error { ended++; return cause }},
		}
		_, err := rt.Run(t.Context(), "c", ociruntime.CreateOptions{Bundle: t.TempDir(), Spec: spec, Hooks: functions})
		if !errors.Is(err, cause) || !strings.HasSuffix(err.Error(), string(kind)+" function 0: cause") {
			t.Errorf("%s: %v", kind, err)
		}
		if ended != 1 {
			t.Errorf("%s: poststop ran %d times", kind, ended)
		}
		if _, err := rt.Load("c"); !errors.Is(err, libcontainer.ErrNotExist) {
			t.Errorf("%s: the container is left: %v", kind, err)
		}
	}
}

// TestPoststopAfterCanceledRun cancels Run during Start: what the other hooks have set up
// must be removed all the same.
func TestPoststopAfterCanceledRun(t *testing.T) {
	rt, spec := setup(t, "sleep")
	ctx, cancel := context.WithCancel(t.Context())
	poststop := make(chan error, 1)
	functions := map[config.HookKind][]config.HookFunction{
		config.StartContainer: {func(context.Context, specs.State) error { cancel(); return nil }},
		config.Poststop:       {func(ctx context.Context, _ specs.State) error { poststop <- ctx.Err(); return nil }},
	}
	_, err := rt.Run(ctx, "c", ociruntime.CreateOptions{Bundle: t.TempDir(), Spec: spec, Hooks: functions})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := <-poststop; err != nil {
		t.Errorf("the context of the hook: %v", err)
	}
}

func TestHookFunctionsOfNoKind(t *testing.T) {
	rt, spec := setup(t, "sleep")
	_, err := rt.Create(t.Context(), "c", ociruntime.CreateOptions{
		Bundle: t.TempDir(), Spec: spec, Hooks: map[config.HookKind][]config.HookFunction{"poststarts": nil},
	})
	if err == nil || err.Error() != `create "c": hook functions: unknown kind of hook "poststarts"` {
		t.Error(err)
	}
}

// TestHookFunctionEnds checks that a hook that panics, or ends its goroutine, leaves
// nothing: setup checks the state root.
func TestHookFunctionEnds(t *testing.T) {
	for _, kind := range config.HookKinds[:5] {
		for text, hook := range map[string]config.HookFunction{
			"panic: cause":             func(context.Context, specs.State) error { panic("cause") },
			"it called runtime.Goexit": func(context.Context, specs.State) error { runtime.Goexit(); return nil },
		} {
			rt, spec := setup(t, "sleep")
			_, err := rt.Run(t.Context(), name(t), ociruntime.CreateOptions{
				Bundle: t.TempDir(), Spec: spec, Hooks: map[config.HookKind][]config.HookFunction{kind: {hook}},
			})
			if err == nil || !strings.Contains(err.Error(), string(kind)+" function 0: "+text) {
				t.Errorf("%s: %v", kind, err)
			}
			if _, err := rt.Load(name(t)); !errors.Is(err, libcontainer.ErrNotExist) {
				t.Errorf("%s: the container is left: %v", kind, err)
			}
		}
	}
}
