package sys

import "os"

// WithFD calls do with the descriptor of a file that other goroutines use, and
// may close: it stays open until do has returned, and in the mode it is in,
// where os.File.Fd makes reads block. When it is closed already that is
// os.ErrClosed.
func WithFD(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if conn.Control(func(fd uintptr) { failed = do(int(fd)) }) != nil {
		return os.ErrClosed // the only reason that there is
	}
	return failed
}
