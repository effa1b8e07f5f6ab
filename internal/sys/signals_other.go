//go:build !amd64 && !arm64

package sys

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// CatchSignals returns a file with one byte for each signal of the set that this
// process gets from now on. The architectures with a stub need less time for it.
func CatchSignals(set []unix.Signal) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	all := make([]os.Signal, len(set))
	for i, s := range set {
		all[i] = s
	}
	caught := make(chan os.Signal, 64)
	signal.Notify(caught, all...)
	go func() {
		for s := range caught {
			if n, ok := s.(syscall.Signal); ok {
				w.Write([]byte{byte(n)}) //nolint:errcheck // nobody reads it any more
			}
		}
	}()
	return r, nil
}
