package ociruntime

import (
	"bytes"
	"context"
	"testing"
)

// lines is a writer that Go cannot compare.
type lines []*bytes.Buffer

func (l lines) Write(b []byte) (int, error) { return l[0].Write(b) }

func TestStdioOfAnyWriter(t *testing.T) {
	var buffer bytes.Buffer
	for _, e := range []ends{
		{stdout: &buffer, stderr: &buffer},
		{stdout: lines{&buffer}, stderr: lines{&buffer}},
	} {
		buffer.Reset()
		s, err := newStdio(e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.files[1].WriteString("hello"); err != nil {
			t.Error(err)
		}
		s.begin()
		s.close()
		if err := s.awaitOutput(context.Background()); err != nil || buffer.String() != "hello" {
			t.Errorf("%T: got %q, %v", e.stdout, buffer.String(), err)
		}
	}
}
