package ociruntime_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	ociruntime "github.com/berth-oci/berth/runtime"
)

// canceler is a log that cancels a context when the runtime takes a step.
type canceler struct {
	slog.Handler
	cancel context.CancelFunc
	// left is the number of steps to the one that cancels.
	left int
	// step is the name of that step; empty before it.
	step string
}

func (*canceler) Enabled(context.Context, slog.Level) bool { return true }

func (h *canceler) Handle(_ context.Context, r slog.Record) error {
	if r.Message != "step" {
		return nil
	}
	if h.left--; h.left == 0 {
		r.Attrs(func(name slog.Attr) bool {
			h.step = name.Value.String()
			return false
		})
		h.cancel()
	}
	return nil
}

// atEachStep calls an operation again and again, until its context was canceled once at
// each of its steps.
func atEachStep(t *testing.T, operation func(context.Context, *canceler)) {
	steps := 0
	for ; ; steps++ {
		ctx, cancel := context.WithCancel(t.Context())
		h := &canceler{Handler: slog.DiscardHandler, cancel: cancel, left: steps + 1}
		operation(ctx, h)
		cancel()
		if h.step == "" {
			break
		}
	}
	if steps < 2 {
		t.Errorf("%d steps", steps)
	}
}

// logged returns a runtime with a log.
func logged(t *testing.T, root string, h slog.Handler) *ociruntime.Runtime {
	rt, err := ociruntime.New(ociruntime.Options{Root: root, Log: slog.New(h)})
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

// cancelRoot returns a state root that must be empty at the end.
func cancelRoot(t *testing.T) string {
	root := filepath.Join(t.TempDir(), "state")
	t.Cleanup(func() {
		if left, err := os.ReadDir(root); err != nil || len(left) > 0 {
			t.Errorf("left in the state root: %v, %v", left, err)
		}
	})
	return root
}

// TestCreateCanceledAtEachStep expects the context's error, or a container that starts.
func TestCreateCanceledAtEachStep(t *testing.T) {
	_, spec := setup(t, "sleep")
	root := cancelRoot(t)
	for name, attached := range map[string]bool{"detached": false, "attached": true} {
		t.Run(name, func(t *testing.T) {
			atEachStep(t, func(ctx context.Context, h *canceler) {
				rt := logged(t, root, h)
				c, err := rt.Create(ctx, "berth-canceled-create", ociruntime.CreateOptions{Spec: spec, Attached: attached})
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("canceled at %q: %v", h.step, err)
				}
				if err != nil {
					return
				}
				if attached && h.step != "" {
					t.Errorf("canceled at %q: no error", h.step) // the connection to the stub is cut
				}
				if err := c.Start(t.Context()); err != nil {
					t.Errorf("create canceled at %q: %v", h.step, err)
				}
				remove(t, c)
			})
		})
	}
}

// TestStartCanceledAtEachStep expects the context's error and a stopped container, or a
// running one.
func TestStartCanceledAtEachStep(t *testing.T) {
	_, spec := setup(t, "sleep")
	root := cancelRoot(t)
	for name, attached := range map[string]bool{"detached": false, "attached": true} {
		t.Run(name, func(t *testing.T) {
			atEachStep(t, func(ctx context.Context, h *canceler) {
				left := h.left
				h.left = 0
				c, err := logged(t, root, h).Create(t.Context(), "berth-canceled-start", ociruntime.CreateOptions{Spec: spec, Attached: attached})
				if err != nil {
					t.Fatal(err)
				}
				h.left = left
				err = c.Start(ctx)
				want := specs.StateRunning
				if err != nil {
					want = specs.StateStopped
				}
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("canceled at %q: %v", h.step, err)
				}
				if state, err := c.State(); err != nil || state.Status != string(want) {
					t.Errorf("canceled at %q: %+v, %v", h.step, state, err)
				}
				remove(t, c)
			})
		})
	}
}
