package stdio

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"sync"
)

// buffers are returned only while nothing is copied through them, but a copy holds one as
// long as its stream is open: they have the size of one atomic write to a pipe.
var buffers = sync.Pool{New: func() any { return new([4096]byte) }}

// copyAll copies until the end of a stream, or until one of the files is closed.
func copyAll(to io.Writer, from io.Reader) {
	buffer := buffers.Get().(*[4096]byte)
	defer buffers.Put(buffer)
	// Hide other methods of the files: io.Copy would use system calls for files on disks,
	// which fail for pipes and fifos.
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, buffer[:])
	if err != nil && !hungUp(err) && !errors.Is(err, os.ErrClosed) {
		slog.Warn("copy a container's stream", "error", err)
	}
}
