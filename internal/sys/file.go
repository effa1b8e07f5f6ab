package sys

import "os"

// WithFD calls do with the descriptor of a file that other goroutines use and
// may close. The descriptor stays open until do returns and keeps its mode;
// os.File.Fd would make it blocking. The error is os.ErrClosed if the file is
// closed already.
func WithFD(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if conn.Control(func(fd uintptr) { failed = do(int(fd)) }) != nil {
		return os.ErrClosed // the only possible error
	}
	return failed
}
