package criu

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// connect returns a connection to a shell script instead of CRIU.
func connect(t *testing.T, script string) *Conn {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "criu")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := NewConn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	child, err := stub.Start(t.Context(), stub.Options{Files: c.Files(), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := child.End(); err != nil {
			t.Error(err)
		}
	})
	if err := c.Execute(child, path); err != nil {
		t.Fatal(err)
	}
	return c
}

// receive is a command that receives a request: the end of a socket with an unread message
// is an error for the other end.
const receive = "dd bs=65536 count=1 <&3 >/dev/null 2>&1\n"

// send returns a command that sends a message to berth, in one packet: dash's printf splits
// one that has a zero byte.
func send(t *testing.T, text string) string {
	t.Helper()
	var packet strings.Builder
	for _, b := range unhex(t, text) {
		fmt.Fprintf(&packet, `\%03o`, b)
	}
	return fmt.Sprintf("printf '%s' >\"$0.packet\"; cat \"$0.packet\" >&%d\n", packet.String(), serverFD)
}

func TestRefusalThatKillsCriuIsTheError(t *testing.T) {
	c := connect(t, send(t, encodedStage)+"exec sleep 1000\n")
	refusal := errors.New("too many capabilities")
	_, err := c.Do(Restore, new(Options), func(Notification) error { return errors.Join(refusal, c.Kill()) })
	if !errors.Is(err, refusal) || errors.Is(err, ErrEnded) {
		t.Errorf("got %v", err)
	}
}

// stallAfter sets stallTime for a test.
func stallAfter(t *testing.T, limit time.Duration) {
	t.Helper()
	before := stallTime
	stallTime = limit
	t.Cleanup(func() { stallTime = before })
}

func TestStalledCriuIsKilled(t *testing.T) {
	stallAfter(t, time.Second)
	c := connect(t, "exec sleep 1000\n")
	_, err := c.Do(Dump, new(Options), nil)
	const want = "criu failed: type DUMP errno 0: CRIU ended without a reply: it was killed because it made no progress for 1s"
	if !errors.Is(err, ErrEnded) || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if err := c.Finish(); err != nil {
		t.Error(err)
	}
}

// A child of CRIU works here.
func TestWorkingCriuIsNotKilled(t *testing.T) {
	stallAfter(t, time.Second)
	const work = "(for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 0.2; echo $n; done >/dev/null)\n"
	c := connect(t, receive+work+send(t, encodedFailure)+"exit\n")
	_, err := c.Do(Restore, new(Options), nil)
	var failed *Error
	if !errors.As(err, &failed) || failed.Ended != nil || failed.Errno != 52 {
		t.Errorf("got %v", err)
	}
}
