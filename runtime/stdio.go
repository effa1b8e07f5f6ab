package ociruntime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"golang.org/x/sys/unix"
)

// stdio turns what an importer gives as standard input and output into
// descriptors for the program.
type stdio struct {
	files [3]*os.File
	// ours are closed once the program has them.
	ours []*os.File
	// pipes connects files by pipes too.
	pipes bool
	// copied gets one error from each copy that is under way.
	copied chan error
	copies int
}

// newStdio takes files as they are and connects other readers and writers by
// pipes. What is nil becomes the null device.
func newStdio(e ends) (*stdio, error) {
	s := &stdio{copied: make(chan error, 3), pipes: e.pipes}
	err := s.reader(e.stdin)
	if err == nil {
		err = s.writer(1, e.stdout)
	}
	if err == nil && same(e.stdout, e.stderr) {
		s.files[2] = s.files[1]
	} else if err == nil {
		err = s.writer(2, e.stderr)
	}
	if err != nil {
		s.handedOver()
		return nil, fmt.Errorf("set up stdio: %w", err)
	}
	return s, nil
}

// same reports whether both are one writer. Not every type can be compared.
func same(a, b io.Writer) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// passOn reports whether a file is to be the program's own: the null device is
// even where there are to be pipes.
func (s *stdio) passOn(f *os.File) bool {
	var st unix.Stat_t
	return !s.pipes || unix.Fstat(int(f.Fd()), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3)
}

func (s *stdio) reader(r io.Reader) error {
	if f, ok := r.(*os.File); ok && s.passOn(f) {
		s.files[0] = f
		return nil
	}
	if r == nil {
		return nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return err
	}
	s.files[0] = pr
	s.ours = append(s.ours, pr)
	// The end of the program does not wait for this copy: r may never end.
	go func() {
		io.Copy(pw, r) //nolint:errcheck // a program need not read its input
		pw.Close()
	}()
	return nil
}

func (s *stdio) writer(i int, w io.Writer) error {
	if f, ok := w.(*os.File); ok && s.passOn(f) {
		s.files[i] = f
		return nil
	}
	if w == nil {
		return nil
	}
	pr, pw, err := os.Pipe()
	if err != nil {
		return err
	}
	s.files[i] = pw
	s.ours = append(s.ours, pw)
	s.copies++
	go func() {
		_, err := io.Copy(w, pr)
		s.copied <- errors.Join(err, pr.Close())
	}()
	return nil
}

// handedOver closes this side's copies of the program's descriptors.
func (s *stdio) handedOver() {
	for _, f := range s.ours {
		f.Close()
	}
	s.ours = nil
}

// wait returns when all output is copied.
func (s *stdio) wait(ctx context.Context) error {
	if s == nil {
		return nil
	}
	var err error
	for ; s.copies > 0; s.copies-- {
		select {
		case e := <-s.copied:
			err = errors.Join(err, e)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}
