// Package stdio connects a program's standard streams, or its terminal, to what a client
// of containerd names: fifos, files, and programs that log.
package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Streams are the names of a process's streams in a request; empty ones are not
// connected. Stdout may be a URL: "file:///path" and "binary:///path?arg=value" are for
// both output streams.
type Streams struct {
	Stdin, Stdout, Stderr string
	Terminal              bool
}

// Owner waits for children: package children.
type Owner interface {
	Own(pid int)
	Disown(pid int)
}

// Options are what Open needs besides the streams.
type Options struct {
	// Container and Namespace are for the environment of a program that logs.
	Container, Namespace string
	// UID and GID own the program's pipes.
	UID, GID int
	Owner    Owner
}

// IO is the connection of one process.
type IO struct {
	options Options
	// program has the ends that the program gets.
	program [3]*os.File
	input   input
	output  [2]output
	logger  *logger
	// terminal says that the output is copied from a terminal.
	terminal bool
	copies   sync.WaitGroup
}

// output is one output stream: it is copied if from is set.
type output struct {
	from *os.File
	to   *os.File
}

// Open opens the streams, and makes pipes for a program without a terminal. It waits
// until a client reads its fifos, as long as ctx lets it.
func Open(ctx context.Context, s Streams, o Options) (*IO, error) {
	i := &IO{options: o, terminal: s.Terminal}
	if err := i.open(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("open stdio: %w", err), i.Close(ctx))
	}
	return i, nil
}

func (i *IO) open(ctx context.Context, s Streams) error {
	if err := i.openOutput(ctx, s); err != nil {
		return err
	}
	if s.Stdin == "" {
		return nil
	}
	if err := i.input.open(s.Stdin); err != nil || s.Terminal {
		return err
	}
	return i.pipe(0, &i.input.to)
}

func (i *IO) openOutput(ctx context.Context, s Streams) error {
	u, err := url.Parse(s.Stdout)
	if err != nil {
		return err
	}
	switch u.Scheme {
	case "binary":
		return i.openLogger(ctx, u, s.Terminal)
	case "file":
		return i.openFile(u.Path, s.Terminal)
	case "", "fifo":
		return i.openPaths(ctx, u.Path, s)
	}
	return fmt.Errorf("stdout %q: no such scheme", s.Stdout)
}

// openPaths opens fifos or files. A terminal has one output.
func (i *IO) openPaths(ctx context.Context, stdout string, s Streams) error {
	paths := [2]string{stdout, s.Stderr}
	if s.Terminal {
		paths[1] = ""
	}
	for n, path := range paths {
		if path == "" {
			continue
		}
		var err error
		if i.output[n].to, err = openWriter(ctx, path); err != nil {
			return err
		}
		if err := i.outputPipe(n); err != nil {
			return err
		}
	}
	return nil
}

func (i *IO) openFile(path string, terminal bool) error {
	for n := range i.output {
		if n == 1 && terminal {
			break
		}
		var err error
		if i.output[n].to, err = appendTo(path); err != nil {
			return err
		}
		if err := i.outputPipe(n); err != nil {
			return err
		}
	}
	return nil
}

// outputPipe makes the pipe between the program and the copy of an output.
func (i *IO) outputPipe(n int) error {
	if i.terminal {
		return nil
	}
	return i.pipe(n+1, &i.output[n].from)
}

// pipe makes a pipe: the program's descriptor n at one end, own at the other.
func (i *IO) pipe(n int, own **os.File) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	i.program[n], *own = w, r
	if n == 0 {
		i.program[n], *own = r, w
	}
	return i.chown(i.program[n])
}

// chown makes the user of the program the owner of a pipe: /dev/stdout opens it again.
func (i *IO) chown(f *os.File) error {
	if i.options.UID == 0 && i.options.GID == 0 {
		return nil
	}
	return f.Chown(i.options.UID, i.options.GID)
}

// Stdin returns the program's input; nil for none.
func (i *IO) Stdin() io.Reader {
	if i.program[0] == nil {
		return nil
	}
	return i.program[0]
}

// Stdout returns the program's output; nil for none.
func (i *IO) Stdout() io.Writer { return i.writer(1) }

// Stderr returns the program's second output; nil for none.
func (i *IO) Stderr() io.Writer { return i.writer(2) }

func (i *IO) writer(n int) io.Writer {
	if i.program[n] == nil {
		return nil
	}
	return i.program[n]
}

// Begin starts to copy when the program exists. The terminal is nil for a program
// without one.
func (i *IO) Begin(terminal *os.File) {
	i.closeProgram()
	if terminal != nil {
		i.output[0].from, i.input.to = terminal, terminal
	}
	for n := range i.output {
		if o := i.output[n]; o.from != nil {
			i.copies.Go(func() { o.run(i.terminal) })
		}
	}
	i.input.begin(i.terminal)
}

// run copies until the program and all that inherited the stream have closed it, or until
// Close. Then the client reads the end of its fifo.
func (o output) run(terminal bool) {
	if o.to == nil {
		// Nobody reads this terminal, and its program must not block.
		copyAll(io.Discard, o.from)
		return
	}
	copyAll(o.to, o.from)
	o.to.Close() // as in closeFile
	if !terminal {
		o.from.Close()
	}
}

// CloseStdin closes this side's end of the client's fifo: when the client has closed its
// end, the program reads the end of its input.
func (i *IO) CloseStdin() error { return i.input.release() }

// Ended is called when the program has ended: it reads no more input.
func (i *IO) Ended() { i.input.close(i.terminal) }

// Drain waits until all output has been copied, at most for the time limit. It reports
// whether it has.
func (i *IO) Drain(limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		i.copies.Wait()
		close(done)
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// Close closes everything but the terminal, ends all copies, and ends a program that logs.
func (i *IO) Close(ctx context.Context) error {
	i.closeProgram()
	i.input.close(i.terminal)
	for n := range i.output {
		o := &i.output[n]
		if !i.terminal {
			closeFile(&o.from)
		}
		closeFile(&o.to)
	}
	if i.logger == nil {
		return nil
	}
	l := i.logger
	i.logger = nil
	return l.end(ctx)
}

// closeProgram closes this process's copies of the program's ends.
func (i *IO) closeProgram() {
	for n := range i.program {
		closeFile(&i.program[n])
	}
}

// closeFile closes a file once. The errors of close(2) are those of pipes, fifos and
// terminals: none that a caller could act on.
func closeFile(f **os.File) {
	if *f != nil {
		(*f).Close()
	}
	*f = nil
}

// hungUp reports whether an error is the end of a terminal's output.
func hungUp(err error) bool { return errors.Is(err, unix.EIO) }
