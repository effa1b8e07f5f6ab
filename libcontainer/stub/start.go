package stub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// Options are the parameters of Start.
type Options struct {
	// Files become the stub's descriptors: the first three 0, 1 and 2, the
	// others 3, 4, … after Start. The null device replaces nil or missing ones
	// of the first three: otherwise a file that the stub opens would get that
	// number.
	Files []*os.File
	// Cloneflags are CLONE_NEW* flags for the new process.
	Cloneflags uintptr
	// Cgroup is the cgroup v2 directory to start in; nil for the caller's.
	Cgroup *os.File
	// Region is a file of RegionSize bytes; nil for an anonymous one.
	Region *os.File
	// RegionSize is the size of an anonymous region, MinRegion if 0.
	RegionSize int
	// Listener is a listening unix socket on which the stub waits for another
	// driver after Detach; nil if Detach is never called.
	Listener *os.File
	// Dir is a directory for the stub's image, in a file without a name, if a
	// memory file cannot be executed (vm.memfd_noexec, fapolicyd). With an
	// empty Dir that is an error.
	Dir string
	// Log gets every operation at debug level; nil for none.
	Log *slog.Logger

	// command starts the stub instead of its image (tests: an emulator).
	command []string
}

// Child is a stub that is a child of the caller.
type Child struct {
	*Proc
	// Pid is the process id in the caller's pid namespace.
	Pid int
	// Pidfd refers to the process; it belongs to the Child, and Release closes
	// it.
	Pidfd *os.File

	listener *Value
	control  *Value
	sock     *socket
}

// Descriptors of a starting stub. From extraFD on: Options.Files after the
// first three, then the listener.
const (
	controlFD = 3
	regionFD  = 4
	extraFD   = 5
)

// Start starts a stub and hardens it. The stub is not dumpable, so no process
// in a namespace that it joins later can trace it (CVE-2016-9962). It has the
// descriptors of Options and its control socket and no others (CVE-2024-21626).
// Signals that the caller ignores have their default action, and none is
// blocked. The stub must be able to run: in a frozen cgroup Start waits until
// ctx ends; in that of Options even longer, with the whole process (see ForkInto).
func Start(ctx context.Context, o Options) (*Child, error) {
	if o.Region == nil {
		f, err := anonymousRegion(max(o.RegionSize, MinRegion))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		o.Region = f
	}
	// Read before the process is made: the child may inherit an ignored signal
	// even if another goroutine calls signal.Notify meanwhile.
	ignored, err := ignoredSignals()
	if err != nil {
		return nil, err
	}
	c, err := spawn(o)
	if err != nil {
		return nil, err
	}
	stop := c.EndWith(ctx)
	err = cmp.Or(c.harden(len(o.Files)-min(3, len(o.Files)), o.Listener != nil, ignored), stop())
	if err != nil {
		err = fmt.Errorf("harden stub: %w", err)
		return nil, errors.Join(err, c.End())
	}
	return c, nil
}

func anonymousRegion(size int) (*os.File, error) {
	fd, err := unix.MemfdCreate("berth-region", unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // Linux 6.3 added MFD_NOEXEC_SEAL
		fd, err = unix.MemfdCreate("berth-region", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "berth-region")
	return f, f.Truncate(int64(size))
}

// spawn starts the process and sends it its region.
func spawn(o Options) (*Child, error) {
	sock, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	if sock.mem, err = mapRegion(o.Region); err != nil {
		return nil, errors.Join(err, sock.close())
	}
	c := &Child{Proc: newProc(sock, sock.mem, o.Log), sock: sock}
	c.process = func() Process { return Process{c.Pid, c.Pidfd} }
	if c.Pid, c.Pidfd, err = forkExec(o, theirs); err != nil {
		return nil, errors.Join(fmt.Errorf("make process: %w", withRemedy(o, err)), c.Close())
	}
	if err := sock.send(words(uint64(len(sock.mem)))); err != nil {
		return nil, errors.Join(fmt.Errorf("write control socket: %w", err), c.End())
	}
	return c, nil
}

// withRemedy adds the cause or the remedy if a process could not be made.
func withRemedy(o Options, err error) error {
	var errno unix.Errno
	if !errors.As(err, &errno) {
		return err
	}
	if remedy := remedyFork(errno, o.Cgroup != nil); remedy != "" {
		return fmt.Errorf("%w (%s)", err, remedy)
	}
	return err
}

// remedyFork returns the cause of an errno of a fork, which may be into a cgroup, or the
// remedy for it.
func remedyFork(errno unix.Errno, intoCgroup bool) string {
	switch {
	case errno == unix.ENOENT && intoCgroup:
		return "the cgroup was removed"
	case errno == unix.EBUSY && intoCgroup:
		return "controllers are enabled for the cgroups below: processes can only be in those"
	case errno == unix.EOPNOTSUPP && intoCgroup:
		return "its cgroup cannot have processes (cgroup.type): a cgroup above has some itself, or is threaded"
	case errno == unix.EAGAIN:
		return "a limit of processes is reached: RLIMIT_NPROC of the user, or pids.max of a cgroup"
	case errno == unix.ENOSPC:
		return "a limit of namespaces is reached: see the sysctls user.max_*_namespaces"
	}
	return ""
}

// forkExec runs the stub's image, or the command of Options.
func forkExec(o Options, control *os.File) (int, *os.File, error) {
	null, err := sys.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return 0, nil, err
	}
	defer null.Close()
	files, err := descriptors(o, control, null)
	if err != nil {
		return 0, nil, err
	}
	if o.command != nil {
		return forkExecPath(o, files, o.command[0], o.command[1:])
	}
	pid, pidfd, err := forkExecImage(o, files, openImage)
	if err == nil || o.Dir == "" || !errors.Is(err, fs.ErrPermission) {
		return pid, pidfd, err
	}
	pid, pidfd, e := forkExecImage(o, files, func() (*os.File, error) { return installImage(o.Dir) })
	switch {
	case e == nil:
		return pid, pidfd, nil
	case e.Error() == err.Error(): // the image is not the reason
		return 0, nil, err
	}
	return 0, nil, errors.Join(err, e)
}

// forkExecImage runs the stub's image from the file that open returns.
func forkExecImage(o Options, files []uintptr, open func() (*os.File, error)) (int, *os.File, error) {
	image, err := open()
	if err != nil {
		return 0, nil, err
	}
	defer image.Close()
	exe, err := executable(image, files)
	if err != nil {
		return 0, nil, err
	}
	defer unix.Close(exe)
	return forkExecPath(o, files, fmt.Sprintf("/proc/self/fd/%d", exe), []string{"berth-init"})
}

func forkExecPath(o Options, files []uintptr, path string, argv []string) (int, *os.File, error) {
	pidfd := -1
	sys := &syscall.SysProcAttr{Cloneflags: o.Cloneflags, PidFD: &pidfd}
	if o.Cgroup != nil {
		sys.UseCgroupFD, sys.CgroupFD = true, int(o.Cgroup.Fd())
	}
	pid, err := syscall.ForkExec(path, argv, &syscall.ProcAttr{Env: []string{}, Files: files, Sys: sys})
	runtime.KeepAlive(o)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", forkCall(o, err), err)
	}
	return pid, os.NewFile(uintptr(pidfd), "pidfd"), nil
}

// forkCall returns the name of the call with which syscall.ForkExec has failed:
// execve for errnos that only that returns.
func forkCall(o Options, err error) string {
	switch {
	case o.Cgroup != nil && errors.Is(err, unix.ENOENT): // the cgroup was removed
		return "clone3"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENOEXEC):
		return "execve"
	case o.Cgroup != nil:
		return "clone3"
	}
	return "clone"
}

func newProc(d driver, mem region, log *slog.Logger) *Proc {
	p := &Proc{driver: d, mem: mem, log: log, batch: batches.Get().(*batch), narrow: strconv.IntSize == 32}
	p.reset()
	return p
}

// descriptors returns the descriptor table of the new process.
func descriptors(o Options, control, null *os.File) ([]uintptr, error) {
	files := []*os.File{null, null, null, control, o.Region}
	for i, f := range o.Files {
		switch {
		case i >= 3:
			files = append(files, f)
		case f != nil:
			files[i] = f
		}
	}
	if o.Listener != nil {
		files = append(files, o.Listener)
	}
	table := make([]uintptr, len(files))
	for i, f := range files {
		if table[i] = f.Fd(); int(table[i]) < 0 { // syscall.ForkExec would close the descriptor
			if i >= extraFD {
				i -= extraFD - 3
			}
			return nil, fmt.Errorf("the file for descriptor %d is nil or closed: %w", i, unix.EBADF)
		}
	}
	return table, nil
}

// executable returns a descriptor of the image by which the child can exec it.
// It must be greater than every descriptor in the child's table and those that
// fill it: syscall.ForkExec fills the table before the exec, and would
// overwrite it (seen as EACCES).
func executable(image *os.File, table []uintptr) (int, error) {
	top := len(table)
	for _, fd := range table {
		if int(fd) > top {
			top = int(fd)
		}
	}
	fd, err := unix.FcntlInt(image.Fd(), unix.F_DUPFD_CLOEXEC, top+len(table)+8)
	if errors.Is(err, unix.EINVAL) { // fcntl(2) returns this above RLIMIT_NOFILE
		err = unix.EMFILE
	}
	if err != nil {
		return -1, fmt.Errorf("dup stub image: fcntl: %w", err)
	}
	return fd, nil
}

// harden is the first batch. It also moves the control descriptors above those
// of the program (3, 4, …).
func (c *Child) harden(extra int, listen bool, ignored []int) error {
	first := extraFD + extra // the first above all that the stub keeps
	if listen {
		first++
	}
	c.Prctl(unix.PR_SET_DUMPABLE, 0)
	c.SetName(stubName)
	c.CloseRange(first, -1)
	c.control = c.Fcntl(Num(controlFD), unix.F_DUPFD_CLOEXEC, first).flag(flagAdopt)
	if listen {
		c.listener = c.Fcntl(Num(extraFD+extra), unix.F_DUPFD_CLOEXEC, first)
	}
	for i := range extra {
		c.Dup3(Num(extraFD+i), Num(3+i), 0)
	}
	c.CloseRange(3+extra, first-1)
	for _, sig := range ignored {
		c.SigDefault(sig)
	}
	c.SigUnblockAll()
	return c.Do()
}

// CloseOthers queues the closing of all descriptors from first on except the
// stub's own two.
func (c *Child) CloseOthers(first int) {
	var keep []int
	for _, fd := range []*Value{c.control, c.listener} {
		if fd != nil {
			keep = append(keep, fd.Int())
		}
	}
	slices.Sort(keep)
	for _, fd := range keep {
		if fd > first {
			c.CloseRange(first, fd-1)
		}
		first = fd + 1
	}
	c.CloseRange(first, -1)
}
