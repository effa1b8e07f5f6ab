package devices

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// progName marks the programs that SetV2 may replace. At most 15 bytes.
const progName = "berth_devices"

// attach loads the program and attaches it to the cgroup directory dir. It
// replaces an earlier program of berth.
func attach(dir string, prog []Insn) error {
	dirfd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer unix.Close(dirfd)
	old, err := ours(dirfd)
	defer closeAll(old)
	if err != nil {
		return err
	}
	fd, err := load(encode(prog))
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	replace := 0
	if len(old) > 0 {
		replace = old[0]
	}
	// MULTI: programs on cgroups above and below, and other programs here,
	// stay.
	if err := sys.BPFAttach(dirfd, fd, unix.BPF_CGROUP_DEVICE, unix.BPF_F_ALLOW_MULTI, replace); err != nil {
		return fmt.Errorf("bpf(BPF_PROG_ATTACH): %w", err)
	}
	return nil
}

// load returns a descriptor of the program. When the verifier refuses it, the
// error ends with the verifier's log.
func load(insns []byte) (int, error) {
	const license = "Apache-2.0"
	fd, err := sys.BPFLoad(unix.BPF_PROG_TYPE_CGROUP_DEVICE, insns, license, progName, nil)
	if err == nil {
		return fd, nil
	}
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EACCES) || tooComplex(err) {
		// Only after a failure, because the log takes longer than the
		// verification.
		log := make([]byte, 64<<10)
		if fd, e := sys.BPFLoad(unix.BPF_PROG_TYPE_CGROUP_DEVICE, insns, license, progName, log); e == nil {
			return fd, nil
		}
		text, _, _ := bytes.Cut(log, []byte{0})
		err = fmt.Errorf("%w: %q", err, tail(text, 300))
	}
	return 0, fmt.Errorf("bpf(BPF_PROG_LOAD): %w", err)
}

// tooComplex reports whether the program exceeds the verifier's limits: E2BIG
// after 1,000,000 instructions, EFAULT with 8192 branches pending (Linux 6.18).
func tooComplex(err error) bool { return errors.Is(err, unix.E2BIG) || errors.Is(err, unix.EFAULT) }

func tail(b []byte, n int) []byte {
	return b[max(0, len(b)-n):]
}

// ours returns descriptors of the programs on the cgroup that have berth's name. The
// caller closes them, also after an error.
func ours(dirfd int) (fds []int, err error) {
	ids, err := sys.BPFQuery(dirfd, unix.BPF_CGROUP_DEVICE)
	if err != nil {
		return nil, fmt.Errorf("bpf(BPF_PROG_QUERY): %w", err)
	}
	for _, id := range ids {
		fd, err := sys.BPFProgFD(id)
		// The program was detached, or this process may not see it.
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return fds, fmt.Errorf("bpf(BPF_PROG_GET_FD_BY_ID): %w", err)
		}
		name, err := sys.BPFProgName(fd)
		if name == progName {
			fds = append(fds, fd)
			continue
		}
		unix.Close(fd)
		if err != nil {
			return fds, fmt.Errorf("bpf(BPF_OBJ_GET_INFO_BY_FD): %w", err)
		}
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}
