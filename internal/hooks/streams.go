package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// keep is how many bytes of each of a hook's two output streams are kept: the
// last ones.
const keep = 4 << 10

// Streams are the pipes to a hook's standard input, output and error, with both
// ends.
type Streams struct {
	// Files are the hook's ends. Process.Wait closes them.
	Files [3]*os.File

	stdin   *os.File
	input   []byte // not yet written
	err     error  // of writing it
	outputs [2]output
}

// output is one output stream of a hook.
type output struct {
	name string
	r    *os.File
	tail []byte
	cut  bool
	copy io.Writer // gets all output, unless nil
	err  error     // of copy, or of the pipe
}

// NewStreams makes the three pipes and queues the input for the first. The
// output of the others is also written to copies, which may be nil; the hook
// gets no descriptor of them. The caller must Close the Streams.
func NewStreams(input []byte, copies [2]io.Writer) (*Streams, error) {
	s := &Streams{input: input, outputs: [2]output{{name: "stdout", copy: copies[0]}, {name: "stderr", copy: copies[1]}}}
	var err error
	if s.Files[0], s.stdin, err = pipe(1); err == nil {
		s.outputs[0].r, s.Files[1], err = pipe(0)
	}
	if err == nil {
		s.outputs[1].r, s.Files[2], err = pipe(0)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("make pipes for a hook: %w", err)
	}
	return s, nil
}

// pipe makes a pipe and sets its end number ours to non-blocking. It does not use
// os.Pipe, which adds the files to Go's poller.
func pipe(ours int) (r, w *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	if err := unix.SetNonblock(fds[ours], true); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fds[0]), "hook"), os.NewFile(uintptr(fds[1]), "hook"), nil
}

// Close closes all open files of the streams.
func (s *Streams) Close() {
	s.closeChild()
	s.closeInput()
	for i := range s.outputs {
		closeFile(&s.outputs[i].r)
	}
}

func (s *Streams) closeChild() {
	for i := range s.Files {
		closeFile(&s.Files[i])
	}
}

func (s *Streams) closeInput() { closeFile(&s.stdin) }

func closeFile(f **os.File) {
	if *f != nil {
		(*f).Close()
		*f = nil
	}
}

// fds are the descriptors of Files.
func (s *Streams) fds() []uintptr {
	fds := make([]uintptr, len(s.Files))
	for i, f := range s.Files {
		fds[i] = f.Fd()
	}
	return fds
}

// serve writes the input and reads the output until the process of pidfd has
// ended; then it returns nil. It returns an error if the timeout, unless 0,
// expires or ctx ends.
func (s *Streams) serve(ctx context.Context, pidfd *os.File, timeout time.Duration) error {
	done, stop, err := sys.DoneFile(ctx)
	if err != nil {
		return err
	}
	defer stop()
	deadline := time.Now().Add(timeout)
	for {
		wait := -1
		if timeout > 0 {
			left := time.Until(deadline)
			if left <= 0 {
				return fmt.Errorf("timed out after %s and was killed", timeout)
			}
			wait = int(min(left.Milliseconds()+1, 1<<30))
		}
		fds := []unix.PollFd{
			sys.PollFd(pidfd, unix.POLLIN), sys.PollFd(done, unix.POLLIN), sys.PollFd(s.stdin, unix.POLLOUT),
			sys.PollFd(s.outputs[0].r, unix.POLLIN), sys.PollFd(s.outputs[1].r, unix.POLLIN),
		}
		if _, err := unix.Poll(fds, wait); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("poll: %w", err)
		}
		s.transfer(fds[2].Revents, fds[3].Revents, fds[4].Revents)
		switch {
		case fds[0].Revents != 0:
			return nil
		case fds[1].Revents != 0:
			return fmt.Errorf("killed: %w", ctx.Err())
		}
	}
}

// transfer writes and reads the streams that poll reported as ready.
func (s *Streams) transfer(in int16, out ...int16) {
	if in != 0 {
		s.feed()
	}
	for i, revents := range out {
		if revents != 0 {
			s.outputs[i].read()
		}
	}
}

// feed writes some of the input. A hook need not read it, so a closed pipe is
// not an error.
func (s *Streams) feed() {
	n, err := unix.Write(int(s.stdin.Fd()), s.input)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
		return
	}
	if err != nil {
		if !errors.Is(err, unix.EPIPE) {
			s.err = fmt.Errorf("write state to the hook: %w", err)
		}
		s.closeInput()
		return
	}
	if s.input = s.input[n:]; len(s.input) == 0 {
		s.closeInput()
	}
}

// read reads the available output.
func (o *output) read() {
	var buf [keep]byte
	for o.r != nil {
		n, err := unix.Read(int(o.r.Fd()), buf[:])
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return
		case err != nil || n == 0:
			if err != nil {
				o.err = errors.Join(o.err, fmt.Errorf("read %s: %w", o.name, err))
			}
			closeFile(&o.r)
		default:
			o.add(buf[:n])
			return // poll again, so that the timeout ends a hook that prints without end
		}
	}
}

func (o *output) add(b []byte) {
	if o.copy != nil && o.err == nil {
		_, o.err = o.copy.Write(b)
	}
	o.tail = append(o.tail, b...)
	if over := len(o.tail) - keep; over > 0 {
		o.tail, o.cut = append(o.tail[:0], o.tail[over:]...), true
	}
}

// drain reads what the hook printed before it ended. It does not wait for the
// end of the pipes, which processes that the hook left running may hold open.
func (s *Streams) drain() {
	const most = 64 << 10 / keep // a pipe's capacity
	for i := range s.outputs {
		for range most {
			s.outputs[i].read()
		}
	}
}

// failed returns the errors of writing the input and the copies, and of reading the output.
func (s *Streams) failed() error {
	return errors.Join(s.err, s.outputs[0].err, s.outputs[1].err)
}

// explain adds the kept output to an error.
func (s *Streams) explain(err error) error {
	for _, o := range s.outputs {
		if len(o.tail) == 0 {
			continue
		}
		begin := ""
		if o.cut {
			begin = "..."
		}
		err = fmt.Errorf("%w, %s: %s%q", err, o.name, begin, o.tail)
	}
	return err
}
