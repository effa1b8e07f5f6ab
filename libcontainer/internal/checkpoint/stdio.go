package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/internal/mountinfo"
	"github.com/berth-oci/berth/internal/sys"
)

// DescriptorsFile is a list of the files that init's descriptors 0, 1 and 2 refer to, in
// the image's directory. Its name and format are runc's: engines archive it. A file
// outside the container's mounts has its key instead of its path; nullMark follows that of
// the null device.
const DescriptorsFile = "descriptors.json"

const nullMark = "/dev/null"

// maxDescriptors is the limit for the size of that file, in bytes.
const maxDescriptors = 64 << 10

// Stdio are the files that the descriptors 0, 1 and 2 of a process refer to.
type Stdio [3]string

// external reports whether a file is a key of the host's file.
func isExternal(file string) bool { return strings.HasPrefix(file, "file[") }

// key returns the key of a file of the host.
func key(file string) string { return strings.TrimSuffix(file, nullMark) }

// WasNull reports whether a descriptor was a null device of the host. CRIU restores the
// position of a file, so nothing that cannot seek (a pipe, a terminal) can replace it.
func (s Stdio) WasNull(fd int) bool {
	return isExternal(s[fd]) && strings.HasSuffix(s[fd], nullMark)
}

// StdioOf returns the files of a process.
func StdioOf(pid int) (Stdio, error) {
	var s Stdio
	mounts, err := mountinfo.Of(strconv.Itoa(pid))
	if err != nil {
		return s, err
	}
	for fd := range s {
		if s[fd], err = fileOf(pid, fd, mounts); err != nil {
			return s, err
		}
	}
	return s, nil
}

// fileOf returns the file of a descriptor: as /proc shows it, or the key of a file that
// is outside the process's mounts. It is empty for a closed descriptor.
func fileOf(pid, fd int, mounts []mountinfo.Mount) (string, error) {
	link := fmt.Sprintf("/proc/%d/fd/%d", pid, fd)
	file, err := os.Readlink(link)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil || !strings.HasPrefix(file, "/") {
		return file, err
	}
	info, err := sys.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd))
	if err != nil {
		return "", err
	}
	id := mountID(string(info))
	if slices.ContainsFunc(mounts, func(m mountinfo.Mount) bool { return m.ID == id }) {
		return file, nil
	}
	var st unix.Stat_t
	if err := unix.Stat(link, &st); err != nil {
		return "", &fs.PathError{Op: "stat", Path: link, Err: err}
	}
	n, err := strconv.ParseUint(id, 10, 32)
	file = fmt.Sprintf("file[%x:%x]", n, st.Ino)
	if st.Mode&unix.S_IFMT == unix.S_IFCHR && uint64(st.Rdev) == unix.Mkdev(1, 3) {
		file += nullMark
	}
	return file, err
}

// mountID returns the field mnt_id of /proc/PID/fdinfo/N.
func mountID(info string) string {
	for line := range strings.Lines(info) {
		if id, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			return strings.TrimSpace(id)
		}
	}
	return ""
}

// External returns the keys of the files outside the container's mounts, for a dump.
func (s Stdio) External() []string {
	var keys []string
	for _, file := range s {
		if isExternal(file) && !slices.Contains(keys, key(file)) {
			keys = append(keys, key(file))
		}
	}
	return keys
}

// Inherit returns the files that CRIU replaces by its descriptors first, first+1 and
// first+2, for a restore: pipes and files outside the container's mounts.
func (s Stdio) Inherit(first int) []criu.Inherited {
	var list []criu.Inherited
	for fd, file := range s {
		if isExternal(file) {
			file = key(file)
		}
		seen := slices.ContainsFunc(list, func(i criu.Inherited) bool { return i.Key == file })
		if (isExternal(file) || strings.HasPrefix(file, "pipe:[")) && !seen {
			list = append(list, criu.Inherited{Key: file, FD: first + fd})
		}
	}
	return list
}

// Write writes the list to the image's directory.
func (s Stdio) Write(dir *os.File) error {
	text, err := json.Marshal(s[:])
	if err != nil {
		return err
	}
	return sys.WriteFile(filepath.Join(dir.Name(), DescriptorsFile), text, 0o600)
}

// ReadStdio reads the list from the image's directory. An image without the file has no
// descriptors to replace.
func ReadStdio(dir *os.File) (Stdio, error) {
	var s Stdio
	path := filepath.Join(dir.Name(), DescriptorsFile)
	text, err := sys.ReadAtMost(path, maxDescriptors)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read image: %w", err)
	}
	var list []string
	if err := json.Unmarshal(text, &list); err != nil || len(list) != len(s) {
		return s, fmt.Errorf("read image: %q is not a list of three files", path)
	}
	copy(s[:], list)
	return s, nil
}
