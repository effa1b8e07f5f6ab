package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// setSysctls writes the kernel parameters of the container's namespaces.
func setSysctls(r *run) error {
	proc, err := r.openProcfs()
	if err != nil {
		return err
	}
	for _, s := range r.cfg.Sysctls {
		f := procfs.Write(r.stub, proc, "sys/"+s.Path, s.Value+"\n")
		r.stub.Check(func() error {
			if err := f.Err(); err != nil {
				return config.FieldErrorf(s.Field, "%w%s", err, remedySysctl(err))
			}
			return nil
		})
	}
	r.stub.CloseFd(proc)
	return nil
}

// openProcfs gives a procfs of the stub's own. The root of a user namespace is
// denied one where its pid namespace is somebody else's, or where the /proc it
// can see is covered in part; the stub still sees the host's then, in which no
// container has a hand.
func (r *run) openProcfs() (*stub.Value, error) {
	proc := procfs.Mount(r.stub)
	var err error
	r.stub.Check(func() error {
		if err = proc.Err(); errors.Is(err, unix.EPERM) {
			return nil // see above
		}
		return err
	})
	if err := r.flush(); err != nil {
		return nil, err
	}
	if err == nil {
		return proc.Root, nil
	}
	var st unix.Statfs_t
	if e := unix.Statfs("/proc", &st); e != nil || st.Type != unix.PROC_SUPER_MAGIC {
		return nil, err
	}
	return r.stub.Openat(stub.Num(unix.AT_FDCWD), "/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0), nil
}

// remedySysctl says what the kernel's answer means.
func remedySysctl(err error) string {
	switch {
	case errors.Is(err, unix.ENOENT):
		return " (the kernel, or the container's namespace, has no such sysctl)"
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE):
		return " (not a value that it can have)"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return " (it cannot be changed here, not even by the container's root)"
	case errors.Is(err, unix.EROFS):
		return " (/proc is read-only where the runtime runs)"
	}
	return ""
}
