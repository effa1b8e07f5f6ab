package stdio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// readerTimeout is how long a client may take to open the other end of a fifo.
const readerTimeout = 30 * time.Second

// openWriter opens a fifo, or a file to append to.
func openWriter(ctx context.Context, path string) (*os.File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.Mode()&os.ModeNamedPipe == 0 {
		return os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	}
	w, err := awaitReader(ctx, path)
	if err != nil {
		return nil, err
	}
	// Close it last: a fifo that had a writer and has none is at its end.
	defer w.Close()
	// Open for both: when containerd restarts, the fifo loses its reader for a while, and
	// a write without any reader is an error.
	return os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
}

// awaitReader opens the fifo to write when it has a reader: what is written before is lost
// if this side closes the fifo before the client opens it.
func awaitReader(ctx context.Context, path string) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, readerTimeout)
	defer cancel()
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK, 0)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.ENXIO) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: nobody reads it: %w", path, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// appendTo opens a log file, and makes it and its directory if necessary.
func appendTo(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:forbidigo // a path of containerd's client
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
}
