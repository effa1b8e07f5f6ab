package sys

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Flock takes the exclusive lock on f. It polls, since flock(2) has no timeout,
// and returns EWOULDBLOCK if another process holds the lock all the time.
func Flock(f *os.File, wait time.Duration) error {
	for deadline := time.Now().Add(wait); ; time.Sleep(2 * time.Millisecond) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case err == nil || !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(deadline):
			return err
		}
	}
}
