package cgroupfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// RemoveTree has a time limit even if the caller's context has none.
const (
	removeTimeout = 10 * time.Second
	firstDelay    = 100 * time.Microsecond
	longestDelay  = 50 * time.Millisecond
)

// CleanPath cleans the path of a cgroup as if it were absolute: ".." never
// leads out. A relative path stays relative.
func CleanPath(p string) string {
	if p == "" {
		return ""
	}
	clean := filepath.Clean("/" + p)
	if filepath.IsAbs(p) {
		return clean
	}
	return clean[1:]
}

// MakeDir makes the directory dir and its missing parents. It returns the
// directories that it made, parents first, also when it fails.
func MakeDir(dir string) ([]string, error) {
	made, err := makeOne(dir)
	if !errors.Is(err, unix.ENOENT) || dir == "/" {
		return made, err
	}
	if made, err = MakeDir(filepath.Dir(dir)); err != nil {
		return made, err
	}
	last, err := makeOne(dir)
	return append(made, last...), err
}

// makeOne makes one directory, and returns it unless it exists already. Its mode does not
// depend on the umask of this process: a program in the container reads its limits there,
// as any user.
func makeOne(dir string) ([]string, error) {
	const mode = 0o755
	err := unix.Mkdir(dir, mode)
	switch {
	case errors.Is(err, unix.EEXIST):
		return nil, nil
	case err != nil:
		return nil, &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	if err := unix.Chmod(dir, mode); err != nil {
		return []string{dir}, &fs.PathError{Op: "chmod", Path: dir, Err: err}
	}
	return []string{dir}, nil
}

// RemoveMade removes directories that MakeDir returned, children first. It
// leaves those that are in use: another container may have been put there.
func RemoveMade(made []string) {
	for _, dir := range slices.Backward(made) {
		_ = unix.Rmdir(dir)
	}
}

// IsRoot reports whether dir is the root of a hierarchy as far as this mount
// shows it. Such a cgroup is never a container's: to destroy it or kill its
// processes would hit the host. Only ENOENT means that dir is not the root.
func IsRoot(dir string) (bool, error) {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, dir, 0, unix.STATX_INO, &st)
	switch {
	case errors.Is(err, unix.ENOENT):
		return false, nil
	case err != nil:
		return false, &fs.PathError{Op: "statx", Path: dir, Err: err}
	}
	return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil // since Linux 5.8
}

// CheckNotRoot refuses the root of a hierarchy. The error begins with the action, such as "kill".
func CheckNotRoot(action, dir string) error {
	root, err := IsRoot(dir)
	if err == nil && root {
		err = fmt.Errorf("%w (it is the root of the hierarchy)", unix.EPERM)
	}
	if err != nil {
		return fmt.Errorf("%s cgroup %q: %w", action, dir, err)
	}
	return nil
}

// Gone reports whether the cgroup directory dir, or a file in one, does not exist.
func Gone(dir string) (bool, error) {
	err := unix.Access(dir, unix.F_OK)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return err != nil, nil
	}
	return false, &fs.PathError{Op: "access", Path: dir, Err: err}
}

// ProcessesIn lists the processes in the cgroup directory dir and in all those
// below, ascending. The kernel shows a process of another, invisible pid
// namespace as 0; all of them are a single 0.
func ProcessesIn(dir string) ([]int, error) {
	var pids []int
	err := Walk(dir, func(d string) error {
		list, err := procs(d)
		pids = append(pids, list...)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

func procs(dir string) ([]int, error) {
	s, err := ReadFile(dir, "cgroup.procs")
	if errors.Is(err, unix.EOPNOTSUPP) {
		// A threaded cgroup (v2): its processes are listed in the domain
		// cgroup above it, its threads here.
		s, err = ReadFile(dir, "cgroup.threads")
	}
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, f := range strings.Fields(s) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", dir+"/cgroup.procs", err)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// longPath is the length from which shorten replaces a path. PATH_MAX has space for
// another name.
const longPath = 3000

// shorten returns a path of dir to which a name can be added: a container can nest
// cgroups deeper than PATH_MAX allows. The caller calls done when it no longer needs the path.
func shorten(dir string) (short string, done func(), err error) {
	if len(dir) < longPath {
		return dir, func() {}, nil
	}
	fd, err := sys.Open(unix.AT_FDCWD, dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	return "/proc/self/fd/" + strconv.Itoa(fd), func() { unix.Close(fd) }, err
}

// Walk calls visit for dir and for every directory below, parents first. It
// ignores directories below dir that are removed meanwhile.
func Walk(dir string, visit func(string) error) error {
	dir, done, err := shorten(dir)
	if err != nil {
		return err
	}
	defer done()
	if err := visit(dir); err != nil {
		return err
	}
	subs, err := subdirs(dir)
	if err != nil {
		return err
	}
	for _, sub := range subs {
		if err := Walk(sub, visit); err != nil && !Vanished(err) {
			return err
		}
	}
	return nil
}

// Vanished reports whether an error means that a cgroup was removed. A read
// from a file that was opened before returns ENODEV.
func Vanished(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV)
}

func subdirs(dir string) ([]string, error) {
	// st_nlink of a cgroup's directory is 2 plus the directories in it, on v1
	// and v2. Almost no container has any, and the directory of a v1 memory
	// cgroup has fifty entries.
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: dir, Err: err}
	}
	if st.Nlink == 2 {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var subs []string
	for _, e := range entries {
		if e.IsDir() {
			subs = append(subs, dir+"/"+e.Name())
		}
	}
	return subs, nil
}

// RemoveTree removes the cgroup directory dir and all below it. It waits while
// they are busy, until ctx ends, ten seconds at most; then the error names the
// processes in them. A directory that does not exist is not an error.
func RemoveTree(ctx context.Context, dir string) error {
	if err := CheckNotRoot("remove", dir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, removeTimeout)
	defer cancel()
	for delay := firstDelay; ; delay = min(2*delay, longestDelay) {
		err := removeOnce(dir)
		if err == nil || !errors.Is(err, unix.EBUSY) {
			return err
		}
		if waitEmpty(ctx, dir, delay) != nil {
			return fmt.Errorf("remove cgroup %q: %w%s", dir, unix.EBUSY, occupants(dir))
		}
	}
}

func removeOnce(dir string) error {
	err := rmdir(dir)
	if err == nil || !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOTEMPTY) {
		return err
	}
	short, done, lerr := shorten(dir)
	var subs []string
	if lerr == nil {
		defer done()
		subs, lerr = subdirs(short)
	}
	if lerr != nil {
		if Vanished(lerr) {
			return nil
		}
		return lerr
	}
	if len(subs) == 0 {
		return err
	}
	for _, sub := range subs {
		if err := removeOnce(sub); err != nil {
			return err
		}
	}
	return rmdir(dir)
}

func rmdir(dir string) error {
	_, err := retry(func() (int, error) { return 0, unix.Rmdir(dir) })
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	return &fs.PathError{Op: "remove cgroup", Path: dir, Err: err}
}

// waitEmpty waits until the v2 cgroup dir is not populated, longestDelay at
// most. If dir has no event to wait for (v1, or a process makes cgroups below
// it again and again), waitEmpty waits for delay.
func waitEmpty(ctx context.Context, dir string, delay time.Duration) error {
	if populated, err := Event(dir, "populated"); err == nil && populated == "1" {
		// This wait does not watch ctx, but it is short.
		_ = WaitEvent(dir, "populated", "0", time.Now().Add(longestDelay))
		return ctx.Err()
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// occupants describes the processes in a busy cgroup, for an error message.
func occupants(dir string) string {
	pids, err := ProcessesIn(dir)
	if err != nil || len(pids) == 0 {
		return ""
	}
	const shown = 5
	var names []string
	for _, pid := range pids[:min(shown, len(pids))] {
		comm, _ := sys.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		names = append(names, fmt.Sprintf("%d %q", pid, strings.TrimSpace(string(comm))))
	}
	more := ""
	if len(pids) > shown {
		more = ", …"
	}
	return fmt.Sprintf(" (it holds %s: %s%s)", count(len(pids)), strings.Join(names, ", "), more)
}

func count(n int) string {
	if n == 1 {
		return "1 process"
	}
	return strconv.Itoa(n) + " processes"
}

// CheckEmpty refuses, with ErrNotEmpty, a cgroup that holds processes.
func CheckEmpty(dir string) error {
	pids, err := ProcessesIn(dir)
	if err != nil {
		return err
	}
	if len(pids) > 0 {
		return fmt.Errorf("use cgroup %q: %w: %s", dir, ErrNotEmpty, count(len(pids)))
	}
	return nil
}
