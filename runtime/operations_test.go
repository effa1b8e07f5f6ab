package ociruntime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer"
	ociruntime "github.com/berth-oci/berth/runtime"
)

// TestOperations tests pause, resume, update and statistics.
func TestOperations(t *testing.T) {
	rt, spec := setup(t, "sleep")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := rt.Run(ctx, "c", ociruntime.CreateOptions{Bundle: t.TempDir(), Spec: spec})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Delete(context.Background(), ociruntime.DeleteOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}()
	if err := c.Resume(ctx); !errors.Is(err, libcontainer.ErrNotPaused) {
		t.Errorf("resume: %v", err)
	}
	if err := c.Pause(ctx); err != nil {
		t.Fatal(err)
	}
	if state, err := c.State(); err != nil || state.Status != "paused" {
		t.Errorf("state %+v, %v", state, err)
	}
	if err := c.Pause(ctx); !errors.Is(err, libcontainer.ErrInvalidState) {
		t.Errorf("pause: %v", err)
	}
	if err := c.Resume(ctx); err != nil {
		t.Fatal(err)
	}
	if pids, err := c.Processes(ctx); err != nil || !slices.Equal(pids, []int{c.Pid()}) {
		t.Errorf("processes %v, %v, want %d", pids, err, c.Pid())
	}
	if err := c.Update(ctx, ociruntime.UpdateOptions{L3CacheSchema: "L3:0=f"}); err == nil || !strings.Contains(err.Error(), "linux.intelRdt") {
		t.Errorf("update: %v", err)
	}
	count := 0
	for e, err := range c.Events(ctx, ociruntime.EventsOptions{Interval: time.Millisecond}) {
		if count++; count == 3 {
			cancel()
		} else if count > 3 {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("event %+v, %v, want the end of the context", e, err)
			}
		} else if err != nil || e.Type != ociruntime.EventStats || e.ID != "c" || e.Data == nil {
			t.Errorf("event %+v, %v", e, err)
		}
	}
	if count != 4 {
		t.Errorf("%d events", count)
	}
	ctx = context.Background()
	if err := c.KillAll(ctx, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status, err := c.Wait(ctx); err != nil || status.Signal != unix.SIGKILL || status.OOM != "" {
		t.Errorf("end %+v, %v", status, err)
	}
	for _, err := range c.Events(ctx, ociruntime.EventsOptions{}) {
		if !errors.Is(err, libcontainer.ErrNotRunning) {
			t.Errorf("events: %v", err)
		}
	}
	if err := c.KillAll(ctx, unix.SIGKILL); !errors.Is(err, libcontainer.ErrNotRunning) {
		t.Errorf("kill: %v", err)
	}
}
