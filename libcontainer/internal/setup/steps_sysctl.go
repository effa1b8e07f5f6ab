package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/config"
)

// setSysctls writes the kernel parameters of the container's namespaces.
func setSysctls(r *run) error { return r.writeSysctls(r.cfg.Sysctls) }

func (r *run) writeSysctls(list []config.Sysctl) error {
	proc, err := r.openProcfs()
	if err != nil {
		return err
	}
	for _, s := range list {
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

// remedySysctl explains an errno of a write to /proc/sys.
func remedySysctl(err error) string {
	switch {
	case errors.Is(err, unix.ENOENT):
		return " (the sysctl does not exist in this kernel or in the container's namespace)"
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ERANGE):
		return " (invalid value for this sysctl)"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return " (the container's root may not change it)"
	case errors.Is(err, unix.EROFS):
		return " (/proc is read-only where the runtime runs)"
	}
	return ""
}
