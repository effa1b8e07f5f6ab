package sys

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// The functions of package os add each file to the Go runtime's poller. For a file on
// disk, in /proc or in a cgroup the kernel refuses that (EPERM), after five or six system
// calls. The functions here do without. As those of package os, they repeat a call that
// a signal interrupts, and their errors are *fs.PathError.

// firstRead is the initial size of the buffer for a file of unknown size, as most files
// in /proc and in cgroups are.
const firstRead = 512

// Open returns a descriptor with O_CLOEXEC. Path is relative to the directory dir;
// unix.AT_FDCWD is the working directory.
func Open(dir int, path string, flags int, mode uint32) (int, error) {
	fd, err := uninterrupted(func() (int, error) { return unix.Openat(dir, path, flags|unix.O_CLOEXEC, mode) })
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// OpenFile is os.OpenFile without the poller: deadlines do not work, and a call that
// waits, as on a FIFO, keeps its thread.
func OpenFile(path string, flags int, mode uint32) (*os.File, error) {
	fd, err := Open(unix.AT_FDCWD, path, flags, mode)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// ReadFile is os.ReadFile without the poller.
func ReadFile(path string) ([]byte, error) {
	fd, err := Open(unix.AT_FDCWD, path, unix.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	return ReadFrom(fd, path, 0, -1)
}

// ReadAtMost reads a file of any type, but at most limit bytes.
func ReadAtMost(path string, limit int) ([]byte, error) {
	fd, err := Open(unix.AT_FDCWD, path, unix.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return ReadFrom(fd, path, int(min(st.Size, int64(limit))), limit)
}

// ReadFrom reads a file to its end, but at most limit bytes unless limit is negative.
// Size is the likely size, or 0. Path is for errors.
func ReadFrom(fd int, path string, size, limit int) ([]byte, error) {
	size = max(size+1, firstRead) // the end is a read of 0 bytes, which needs space
	if limit >= 0 {
		size = min(size, limit)
	}
	text := make([]byte, 0, size)
	for limit < 0 || len(text) < limit {
		text = slices.Grow(text, 1)
		space := text[len(text):cap(text)]
		if limit >= 0 {
			space = space[:min(len(space), limit-len(text))]
		}
		n, err := uninterrupted(func() (int, error) { return unix.Read(fd, space) })
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			break
		}
		text = text[:len(text)+n]
	}
	return text, nil
}

// WriteFile is os.WriteFile without the poller.
func WriteFile(path string, text []byte, mode uint32) error {
	fd, err := Open(unix.AT_FDCWD, path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, mode)
	if err != nil {
		return err
	}
	err = WriteTo(fd, path, text)
	if e := unix.Close(fd); e != nil && err == nil {
		err = &fs.PathError{Op: "close", Path: path, Err: e}
	}
	return err
}

// WriteTo writes all of text. Path is for errors.
func WriteTo(fd int, path string, text []byte) error {
	for {
		n, err := uninterrupted(func() (int, error) { return unix.Write(fd, text) })
		if n == 0 && err == nil && len(text) > 0 {
			err = io.ErrUnexpectedEOF // as package os does, instead of a loop without end
		}
		if err != nil {
			return &fs.PathError{Op: "write", Path: path, Err: err}
		}
		if text = text[n:]; len(text) == 0 {
			return nil
		}
	}
}

// Rename is os.Rename for a file, without the call that looks whether the target is a
// directory: the kernel refuses to replace one.
func Rename(from, to string) error {
	_, err := uninterrupted(func() (int, error) { return 0, unix.Rename(from, to) })
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// uninterrupted repeats a call that a signal has interrupted: the Go runtime signals its
// threads, and some file systems do not restart calls.
func uninterrupted(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
