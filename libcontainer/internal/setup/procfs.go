package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// openProcfs returns a descriptor of a private procfs. The kernel denies this to the
// root of a user namespace if the pid namespace belongs to another user namespace, or
// if the visible /proc is partly covered. It then returns the host's /proc, which the
// stub still sees and no container can change.
func (r *run) openProcfs() (*stub.Value, error) {
	proc := procfs.Mount(r.stub)
	var err error
	r.stub.Check(func() error {
		if err = proc.Err(); errors.Is(err, unix.EPERM) {
			return nil // the host's /proc follows
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
