package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// endsAfter returns the time until ctx ends, an hour at most, and the reason.
func endsAfter(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	limit := time.NewTimer(time.Hour)
	defer limit.Stop()
	select {
	case <-ctx.Done():
	case <-limit.C:
	}
	return time.Since(begin), context.Cause(ctx)
}

func TestStarting(t *testing.T) {
	for name, c := range map[string]struct {
		run    func(context.Context, *starting) context.Context
		after  time.Duration
		reason string // "" means that the start was not aborted
	}{
		"no signal": {func(ctx context.Context, s *starting) context.Context {
			ctx, _ = s.begin(ctx)
			return ctx
		}, time.Hour, ""},
		"signal during the start": {func(ctx context.Context, s *starting) context.Context {
			ctx, _ = s.begin(ctx)
			s.terminate(unix.SIGTERM)
			return ctx
		}, patience, "received terminated before the program could be started"},
		"signal before the start": {func(ctx context.Context, s *starting) context.Context {
			s.terminate(unix.SIGINT)
			time.Sleep(time.Minute) // the container is being created
			ctx, _ = s.begin(ctx)
			return ctx
		}, patience, "received interrupt before"},
		"two signals": {func(ctx context.Context, s *starting) context.Context {
			ctx, _ = s.begin(ctx)
			s.terminate(unix.SIGHUP)
			time.Sleep(patience / 2)
			s.terminate(unix.SIGTERM)
			return ctx
		}, patience / 2, "received hangup before"},
		"started in time": {func(ctx context.Context, s *starting) context.Context {
			ctx, started := s.begin(ctx)
			s.terminate(unix.SIGTERM)
			time.Sleep(patience / 2)
			started()
			time.Sleep(patience)
			return ctx
		}, 0, ""},
		"signal after the start": {func(ctx context.Context, s *starting) context.Context {
			ctx, started := s.begin(ctx)
			started()
			s.terminate(unix.SIGTERM)
			time.Sleep(2 * patience)
			return ctx
		}, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s starting
				after, reason := endsAfter(c.run(t.Context(), &s))
				if after != c.after {
					t.Errorf("the context ended after %v, want %v", after, c.after)
				}
				if c.reason == "" && reason != nil && !errors.Is(reason, context.Canceled) || c.reason != "" && (reason == nil || !strings.Contains(reason.Error(), c.reason)) {
					t.Errorf("reason %v, want %q", reason, c.reason)
				}
				s.end(nil)
			})
		})
	}
}
