package stdio

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// input is the input stream of a process.
type input struct {
	mu sync.Mutex
	// from is the client's fifo. keep is its other end: without it the program would read
	// the end of its input when one client has left and before the next has come.
	from, keep *os.File
	// to is a pipe, or the terminal, which belongs to the caller.
	to *os.File
}

func (in *input) open(path string) error {
	var err error
	if in.from, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0); err != nil {
		return err
	}
	if kind, err := in.from.Stat(); err != nil || kind.Mode()&os.ModeNamedPipe == 0 {
		return err
	}
	in.keep, err = os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
	return err
}

// begin starts to copy. When the client's input ends, so does the program's, but a
// terminal has no end of input.
func (in *input) begin(terminal bool) {
	if in.from == nil {
		return
	}
	from, to := in.from, in.to
	go func() {
		copyAll(to, from)
		in.close(terminal)
	}()
}

// release closes the own end of the client's fifo.
func (in *input) release() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.keep == nil {
		return nil
	}
	err := in.keep.Close()
	in.keep = nil
	return err
}

// close ends the copy.
func (in *input) close(terminal bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	closeFile(&in.from)
	closeFile(&in.keep)
	if !terminal {
		closeFile(&in.to)
	}
}
