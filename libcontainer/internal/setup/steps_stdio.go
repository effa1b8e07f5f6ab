package setup

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// ownStdio gives the program's user the files that are its descriptors 0, 1
// and 2, except a terminal and the null device, which are everybody's.
func ownStdio(r *run) error {
	uid, err := r.hostUID(r.cfg.Process.UID)
	if err != nil {
		return err
	}
	for i, f := range r.Stdio {
		if f == nil || (r.cfg.Process.Terminal && r.hook == nil) {
			continue
		}
		denied, err := ownFile(f, uid)
		if err != nil {
			return fmt.Errorf("descriptor %d: %w", i, err)
		}
		if denied {
			r.notOwned = append(r.notOwned, i)
		}
	}
	return nil
}

// chownStdio has the namespace's root give away what the runtime may not, if it
// belongs to one of its users.
func chownStdio(r *run) error {
	for _, fd := range r.notOwned {
		r.stub.Fchownat(stub.Num(fd), "", int(r.cfg.Process.UID), -1, unix.AT_EMPTY_PATH).MayFail(unix.EPERM, unix.EROFS) // as in ownFile
	}
	return nil
}

// ownFile gives a file to a user. That it is not ours to give is no error: the
// program can still use the descriptor.
func ownFile(f *os.File, uid uint32) (denied bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return false, err
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
