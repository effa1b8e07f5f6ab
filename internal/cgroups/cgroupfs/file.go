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

	"github.com/berth-oci/berth/internal/sys"
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
	fd, err := open(dir, name, flags)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), dir+"/"+name), nil
}

// open is Open without an os.File. Name has one component, so O_NOFOLLOW is
// enough to stay in dir.
func open(dir, name string, flags int) (int, error) {
	if err := CheckName(name); err != nil {
		return -1, err
	}
	if dir == "" {
		return -1, fmt.Errorf("open %q: %w", name, ErrNoCgroup)
	}
	return sys.Open(unix.AT_FDCWD, dir+"/"+name, flags|unix.O_NOFOLLOW, 0)
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		// The Go runtime's signals interrupt calls.
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// ReadFile reads the file name of the cgroup directory dir, without the
// newline at its end.
func ReadFile(dir, name string) (string, error) {
	fd, err := open(dir, name, unix.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	b, err := sys.ReadFrom(fd, dir+"/"+name, 0, -1)
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
	fd, err := open(dir, name, unix.O_WRONLY|unix.O_TRUNC)
	if err != nil {
		return fmt.Errorf("write %q: %w", value, err)
	}
	defer unix.Close(fd)
	// Not sys.WriteTo: it would continue after a short write, and each write is a
	// separate command to the kernel. EINTR: a write of a v1 memory limit below
	// the usage reclaims memory, and stops when a signal is pending.
	n, err := retry(func() (int, error) { return unix.Write(fd, []byte(value)) })
	if err == nil && n != len(value) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("write %q to %q: %w", value, dir+"/"+name, err)
	}
	return nil
}

// AddProcess moves a process into the cgroup directory dir.
func AddProcess(dir string, pid int) error {
	if pid < 1 { // the kernel takes 0 as the process that writes
		return fmt.Errorf("add process %d to cgroup %q: %w (not a process ID)", pid, dir, unix.EINVAL)
	}
	err := WriteFile(dir, "cgroup.procs", strconv.Itoa(pid))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EBUSY):
		err = fmt.Errorf("%w (controllers are enabled for the cgroups below: processes can only be in those)", err)
	case errors.Is(err, unix.ENOSPC):
		err = fmt.Errorf("%w (its cpuset.cpus or cpuset.mems is empty)", err)
	}
	return fmt.Errorf("add process %d: %w", pid, err)
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
