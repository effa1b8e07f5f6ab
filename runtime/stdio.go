package ociruntime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"

	"golang.org/x/sys/unix"
)

// stdio turns what an importer gives as standard input and output into
// descriptors for the program.
type stdio struct {
	files [3]*os.File
	// theirs are the program's ends of pipes, closed once it has them.
	theirs []*os.File
	// pipes connects files by pipes too.
	pipes  bool
	input  *transfer
	output []*transfer

	// copied is closed when all output is; err says what has failed.
	copied chan struct{}
	mu     sync.Mutex
	err    error
}

// transfer is a copy between a reader or a writer and a pipe.
type transfer struct {
	to   io.Writer
	from io.Reader
	pipe *os.File // one of these two
}

// run copies all there is, and closes the pipe.
func (t *transfer) run() error {
	_, err := io.Copy(t.to, t.from)
	return errors.Join(err, t.pipe.Close())
}

// newStdio takes files as they are and connects other readers and writers by
// pipes. What is nil becomes the null device.
func newStdio(e ends) (*stdio, error) {
	s := &stdio{pipes: e.pipes}
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
		s.close()
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
	s.theirs = append(s.theirs, pr)
	s.input = &transfer{to: pw, from: r, pipe: pw}
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
	s.theirs = append(s.theirs, pw)
	s.output = append(s.output, &transfer{to: w, from: pr, pipe: pr})
	return nil
}

// begin copies, now that there is a program. Before, nothing of the input may
// be read: it is the next one's if there is none.
func (s *stdio) begin() {
	if s.input != nil {
		// The end of the program does not wait for this copy: the reader may
		// never end. A program need not read its input, so errors are none.
		go s.input.run() //nolint:errcheck // see above
	}
	s.copied = make(chan struct{})
	var all sync.WaitGroup
	for _, t := range s.output {
		all.Go(func() { s.failed(t.run()) })
	}
	go func() {
		all.Wait()
		close(s.copied)
	}()
	s.input, s.output = nil, nil
}

func (s *stdio) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errors.Join(s.err, err)
}

// close closes this process's copies of the program's descriptors, and the
// pipes if there is no program.
func (s *stdio) close() {
	for _, f := range s.theirs {
		f.Close()
	}
	s.theirs = nil
	if s.input != nil {
		s.input.pipe.Close()
	}
	for _, t := range s.output {
		t.pipe.Close()
	}
	s.input, s.output = nil, nil
}

// wait returns when all output is copied.
func (s *stdio) wait(ctx context.Context) error {
	if s == nil {
		return nil
	}
	select {
	case <-s.copied:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err != nil {
			return &OutputError{s.err}
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
