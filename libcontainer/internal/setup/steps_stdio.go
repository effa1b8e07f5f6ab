package setup

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// chownStdio makes the program's user the owner of the files that are its descriptors
// 0, 1 and 2, except character devices: terminals and the null device are shared.
func chownStdio(r *run) error {
	uid, err := r.hostUID(r.cfg.Process.UID)
	if err != nil {
		return err
	}
	for i, f := range r.Stdio {
		if f == nil || (r.cfg.Process.Terminal && r.hook == nil) {
			continue
		}
		denied, err := chownFile(f, uid)
		if err != nil {
			return fmt.Errorf("descriptor %d: %w", i, err)
		}
		if denied {
			r.notOwned = append(r.notOwned, i)
		}
	}
	return nil
}

// chownStdioAsRoot repeats the chown that the kernel denied to the runtime, as root of
// the user namespace, which may chown files of the namespace's users.
func chownStdioAsRoot(r *run) error {
	for _, fd := range r.notOwned {
		r.stub.Fchownat(stub.Num(fd), "", int(r.cfg.Process.UID), -1, unix.AT_EMPTY_PATH).MayFail(unix.EPERM, unix.EROFS) // as in chownFile: the descriptor stays usable
	}
	return nil
}

// chownFile changes the owner of a file. It reports denied, not an error, if the
// runtime may not: the program can still use the descriptor.
func chownFile(f *os.File, uid uint32) (denied bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return false, os.NewSyscallError("fstat", err)
	}
	if st.Uid == uid || st.Mode&unix.S_IFMT == unix.S_IFCHR {
		return false, nil
	}
	err = f.Chown(int(uid), -1)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EROFS) {
		return true, nil
	}
	return false, err
}

func closeDescriptors(r *run) error {
	r.child.CloseOthers(3 + len(r.ExtraFiles))
	return nil
}
