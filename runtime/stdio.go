package ociruntime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// stdio connects the readers and writers of an importer to the program's standard
// descriptors.
type stdio struct {
	files [3]*os.File
	// programEnds are the program's ends of pipes, closed when the program has inherited
	// them.
	programEnds []*os.File
	// pipes uses pipes for files too.
	pipes  bool
	input  *transfer
	output []*transfer
	// delay limits the time to wait for the output of a program that has ended; 0
	// means no limit.
	delay time.Duration
	// copied is closed when all output has been copied, or no more will be.
	copied      chan struct{}
	gates       []*gate
	outputPipes []*os.File

	mu sync.Mutex
	// err are the errors of the transfers.
	err error
	// waiting is the number of calls of Wait in progress. shut means that the last one
	// has failed.
	waiting int
	shut    bool
	// exited is when a Wait has seen that the program has ended.
	exited time.Time
	// ended means that the rest of the output is given up.
	ended bool
}

// transfer is a copy between a reader or a writer and a pipe.
type transfer struct {
	to   io.Writer
	from io.Reader
	pipe *os.File // one of to and from
}

// run copies until the end and closes the pipe.
func (t *transfer) run() error {
	_, err := io.Copy(t.to, t.from)
	return errors.Join(err, t.pipe.Close())
}

// newStdio uses files themselves, pipes for other readers and writers, and the null
// device for nil.
func newStdio(e ends) (*stdio, error) {
	s := &stdio{pipes: e.pipes, delay: e.waitDelay}
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

// same reports whether both are the same writer. Some types cannot be compared.
func same(a, b io.Writer) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// direct reports whether the program gets the file itself. It gets the null device
// itself also with Pipes.
func (s *stdio) direct(f *os.File) bool {
	var st unix.Stat_t
	return !s.pipes || unix.Fstat(int(f.Fd()), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && uint64(st.Rdev) == unix.Mkdev(1, 3)
}

func (s *stdio) reader(r io.Reader) error {
	if f, ok := r.(*os.File); ok && s.direct(f) {
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
	s.programEnds = append(s.programEnds, pr)
	s.input = &transfer{to: pw, from: r, pipe: pw}
	return nil
}

func (s *stdio) writer(i int, w io.Writer) error {
	if f, ok := w.(*os.File); ok && s.direct(f) {
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
	s.programEnds = append(s.programEnds, pw)
	if _, file := w.(*os.File); !file { // several processes can write to a file anyway
		g := newGate(w)
		s.gates = append(s.gates, g)
		w = g
	}
	s.output = append(s.output, &transfer{to: w, from: pr, pipe: pr})
	return nil
}

// begin starts to copy when the program exists. Earlier, no input may be read: after a
// failed start, unread input must remain for the next program.
func (s *stdio) begin() {
	if s.input != nil {
		// wait does not wait for this copy, as the reader may never end. Errors are
		// ignored: a program need not read its input.
		go s.input.run() //nolint:errcheck // see above
	}
	s.copied = make(chan struct{})
	var all sync.WaitGroup
	for _, t := range s.output {
		s.outputPipes = append(s.outputPipes, t.pipe)
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
	if !s.ended { // abandonOutput closes the pipes
		s.err = errors.Join(s.err, err)
	}
}

// close closes this process's copies of the program's descriptors and, if begin was not
// called, the pipes.
func (s *stdio) close() {
	for _, f := range s.programEnds {
		f.Close()
	}
	s.programEnds = nil
	if s.input != nil {
		s.input.pipe.Close()
	}
	for _, t := range s.output {
		t.pipe.Close()
	}
	s.input, s.output = nil, nil
}
