package criu

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A program that is no CRIU, and never answers.
func TestFindEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "silent")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nexec sleep 1000\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Find(ctx, path, t.TempDir())
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

// A CRIU that is killed leaves processes that have its end of the connection.
func TestFindNoticesTheEndOfCriu(t *testing.T) {
	dir := t.TempDir()
	path, left := filepath.Join(dir, "short-lived"), filepath.Join(dir, "left")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nsleep 1000 &\necho $! >"+left+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err := Find(t.Context(), path, dir)
	if !errors.Is(err, ErrEnded) || time.Since(begin) >= answerTime {
		t.Errorf("after %s: got %v", time.Since(begin), err)
	}
	text, err := os.ReadFile(left)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Errorf("kill %d: %v", pid, err)
	}
}
