package criu

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// A program that sends one notification, and waits for an answer to it.
func TestRefusalThatKillsCriuIsTheError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "waiting")
	var packet strings.Builder
	for _, b := range unhex(t, encodedStage) {
		fmt.Fprintf(&packet, `\%03o`, b)
	}
	script := fmt.Sprintf("#!/bin/sh\nprintf '%s' >&%d\nexec sleep 1000\n", packet.String(), serverFD)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := NewConn()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	child, err := stub.Start(t.Context(), stub.Options{Files: c.Files(), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := child.End(); err != nil {
			t.Error(err)
		}
	}()
	if err := c.Execute(child, path); err != nil {
		t.Fatal(err)
	}
	refusal := errors.New("too many capabilities")
	_, err = c.Do(Restore, new(Options), func(Notification) error { return errors.Join(refusal, c.Kill()) })
	if !errors.Is(err, refusal) || errors.Is(err, ErrEnded) {
		t.Errorf("got %v", err)
	}
}
