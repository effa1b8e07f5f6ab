package libcontainer

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/procfs"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// setSysctls writes the kernel parameters of the container's namespaces.
func setSysctls(r *run) error {
	proc, err := r.openProcfs()
	if err != nil {
		return err
	}
	for rest := r.cfg.Sysctls; len(rest) > 0; {
		some := rest[:min(len(rest), 100)]
		rest = rest[len(some):]
		if err := r.writeSysctls(proc, some); err != nil {
			return err
		}
	}
	r.p.CloseFd(proc)
	return nil
}

// openProcfs gives a procfs of the stub's own. The root of a user namespace is
// denied one where its pid namespace is somebody else's, or where the /proc it
// can see is covered in part; the stub still sees the host's then, in which no
// container has a hand.
func (r *run) openProcfs() (*stub.Value, error) {
	proc := procfs.Mount(r.p)
	if err := r.p.Do(); err != nil {
		return nil, err
	}
	err := proc.Err()
	if err == nil {
		return proc.Root, nil
	}
	var st unix.Statfs_t
	if e := unix.Statfs("/proc", &st); !errors.Is(err, unix.EPERM) || e != nil || st.Type != unix.PROC_SUPER_MAGIC {
		return nil, err
	}
	return r.p.Openat(stub.Num(unix.AT_FDCWD), "/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0), nil
}

func (r *run) writeSysctls(proc *stub.Value, list []config.Sysctl) error {
	files := make([]procfs.File, len(list))
	for i, s := range list {
		files[i] = procfs.Write(r.p, proc, "sys/"+s.Path, s.Value+"\n")
	}
	if err := r.p.Do(); err != nil {
		return err
	}
	for i, f := range files {
		if err := f.Err(); err != nil {
			return config.FieldErrorf(list[i].Field, "%w%s", err, remedySysctl(err))
		}
	}
	return nil
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
