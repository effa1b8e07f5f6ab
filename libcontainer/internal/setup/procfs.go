package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/procfs"
	"github.com/berth-oci/berth/libcontainer/stub"
)

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
