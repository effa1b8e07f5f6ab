// Package cgroupfs reads and writes the files and directories of a cgroup file
// system, as far as cgroup v1 and v2 are alike. The managers (packages fs, fs2
// and systemd) add the files of the controllers.
package cgroupfs

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Max is the value that ReadUint returns for "max", which is the kernel's word
// for "no limit".
const Max = math.MaxUint64

// Errors that package cgroups exports.
var (
	ErrNotEmpty = errors.New("cgroup not empty")
	ErrNoCgroup = errors.New("no cgroup")
)

// CheckName refuses a name that is not the name of a file directly in a
// cgroup's directory. Keys of linux.resources.unified come from config.json and
// are file names (GHSA-5g49-rx9x-qfc6: "../../x").
func CheckName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("file name %q: %w (must name a file of the cgroup, without \"/\")", name, unix.EINVAL)
	}
	return nil
}

// Open opens the file name in the cgroup directory dir. The name cannot lead
// out of dir.
func Open(dir, name string, flags int) (*os.File, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if dir == "" {
		return nil, fmt.Errorf("open %q: %w", name, ErrNoCgroup)
	}
	path := dir + "/" + name
	dirfd, err := retry(func() (int, error) {
		return unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(dirfd)
	fd, err := openBeneath(dirfd, name, flags|unix.O_CLOEXEC)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func openBeneath(dirfd int, name string, flags int) (int, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := retry(func() (int, error) { return unix.Openat2(dirfd, name, &how) })
	if errors.Is(err, unix.ENOSYS) {
		// A seccomp filter may deny openat2 (Linux 5.6).
		fd, err = openSingle(dirfd, name, flags)
	}
	return fd, err
}

// openSingle opens a name that has passed CheckName. The name has one
// component, for which O_NOFOLLOW has the same effect as the flags of openat2.
func openSingle(dirfd int, name string, flags int) (int, error) {
	return retry(func() (int, error) { return unix.Openat(dirfd, name, flags|unix.O_NOFOLLOW, 0) })
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		// The Go runtime's signals interrupt calls. RESOLVE_BENEATH returns
		// EAGAIN after a concurrent rename.
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
	}
}

// ReadFile reads the file name of the cgroup directory dir, without the
// newline at its end.
func ReadFile(dir, name string) (string, error) {
	f, err := Open(dir, name, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(b), "\n"), nil
}

// ReadUint reads a file that holds one number; "max" is Max.
func ReadUint(dir, name string) (uint64, error) {
	s, err := ReadFile(dir, name)
	if err != nil {
		return 0, err
	}
	n, err := ParseUint(s)
	if err != nil {
		return 0, fmt.Errorf("read %q: %w", dir+"/"+name, err)
	}
	return n, nil
}

// ParseUint parses a number as the kernel prints it. "max" is Max. A negative
// number is 0: v1 prints one for an underflow of a signed counter, or for "not
// set".
func ParseUint(s string) (uint64, error) {
	s = strings.TrimSpace(s)
	if s == "max" {
		return Max, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		if _, serr := strconv.ParseInt(s, 10, 64); serr == nil {
			return 0, nil
		}
		return 0, fmt.Errorf("parse %q: not a number", s)
	}
	return n, nil
}

// WriteFile writes value to the file name in the cgroup directory dir, in one
// write. The error has the file, the value and the errno.
func WriteFile(dir, name, value string) error {
	f, err := Open(dir, name, unix.O_WRONLY|unix.O_TRUNC)
	if err != nil {
		return fmt.Errorf("write %q: %w", value, err)
	}
	defer f.Close()
	// Not f.Write: it would continue after a short write, and each write is a
	// separate command to the kernel. EINTR: a write of a v1 memory limit below
	// the usage reclaims memory, and stops when a signal is pending.
	n, err := retry(func() (int, error) { return unix.Write(int(f.Fd()), []byte(value)) })
	if err != nil {
		return fmt.Errorf("write %q to %q: %w", value, f.Name(), err)
	}
	if n != len(value) {
		return fmt.Errorf("write %q to %q: %w", value, f.Name(), io.ErrShortWrite)
	}
	return nil
}

// Exists reports whether the cgroup directory dir has a file of this name.
// Only ENOENT means that it does not.
func Exists(dir, name string) (bool, error) {
	if dir == "" {
		return false, nil
	}
	gone, err := Gone(dir + "/" + name)
	return err == nil && !gone, err
}
