package devices

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"unsafe" //nolint:depguard // bpf(2) takes pointers in its attributes; this package is usable alone, so its door is its own: this file

	"golang.org/x/sys/unix"
)

// progName marks the programs that SetV2 may replace. At most 15 bytes.
const progName = "berth_devices"

// The parts of union bpf_attr that are used, from include/uapi/linux/bpf.h.
// The kernel takes a shorter union than its own for one filled up with zeros.
// Pointers are 64 bits wide there, on every architecture; berth supports none
// where Go's are not.
type (
	loadAttr struct {
		progType    uint32
		insnCount   uint32
		insns       unsafe.Pointer
		license     unsafe.Pointer
		logLevel    uint32
		logSize     uint32
		logBuf      unsafe.Pointer
		kernVersion uint32
		progFlags   uint32
		progName    [unix.BPF_OBJ_NAME_LEN]byte
	}
	attachAttr struct {
		target     uint32
		prog       uint32
		attachType uint32
		flags      uint32
		replace    uint32
	}
	queryAttr struct {
		target      uint32
		attachType  uint32
		queryFlags  uint32
		attachFlags uint32
		progIDs     unsafe.Pointer
		progCount   uint32
		_           uint32
	}
	getAttr struct {
		id        uint32
		nextID    uint32
		openFlags uint32
	}
	infoAttr struct {
		prog uint32
		len  uint32
		info unsafe.Pointer
	}
	// progInfo is the beginning of struct bpf_prog_info.
	progInfo struct {
		progType      uint32
		id            uint32
		tag           [8]byte
		jitedLen      uint32
		xlatedLen     uint32
		jitedInsns    uint64
		xlatedInsns   uint64
		loadTime      uint64
		createdByUID  uint32
		mapIDCount    uint32
		mapIDs        uint64
		name          [unix.BPF_OBJ_NAME_LEN]byte
		restIsOmitted [0]byte
	}
)

func bpf(cmd int, attr unsafe.Pointer, size uintptr) (int, error) {
	for range 5 {
		r, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(attr), size)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EAGAIN, unix.EINTR:
			// The verifier gives up when a signal is pending (Linux 5.0), and
			// Go's runtime sends itself many.
			continue
		}
		return 0, errno
	}
	return 0, unix.EAGAIN
}

// attach loads the program and attaches it to the cgroup directory dir in the
// place of one of ours.
func attach(dir string, prog []Insn) error {
	dirfd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer unix.Close(dirfd)
	old, err := ours(dirfd)
	if err != nil {
		return err
	}
	defer func() {
		for _, fd := range old {
			unix.Close(fd)
		}
	}()
	fd, err := load(prog)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// MULTI: with the programs of cgroups above and below, and of others here.
	a := attachAttr{target: uint32(dirfd), prog: uint32(fd), attachType: unix.BPF_CGROUP_DEVICE, flags: unix.BPF_F_ALLOW_MULTI}
	if len(old) > 0 {
		a.flags |= unix.BPF_F_REPLACE // since Linux 5.6
		a.replace = uint32(old[0])
	}
	if _, err := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&a), unsafe.Sizeof(a)); err != nil {
		return fmt.Errorf("bpf(BPF_PROG_ATTACH): %w", err)
	}
	return nil
}

// load returns a descriptor of the program. When the verifier refuses it, the
// error ends with what it says.
func load(prog []Insn) (int, error) {
	insns, license := encode(prog), append([]byte("Apache-2.0"), 0)
	a := loadAttr{
		progType:  unix.BPF_PROG_TYPE_CGROUP_DEVICE,
		insnCount: uint32(len(prog)),
		insns:     unsafe.Pointer(unsafe.SliceData(insns)),
		license:   unsafe.Pointer(unsafe.SliceData(license)),
	}
	copy(a.progName[:], progName)
	fd, err := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&a), unsafe.Sizeof(a))
	if err == nil {
		return fd, nil
	}
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EACCES) {
		// Only now, as writing the log takes longer than the verification.
		log := make([]byte, 64<<10)
		a.logLevel, a.logSize, a.logBuf = 1, uint32(len(log)), unsafe.Pointer(unsafe.SliceData(log))
		if fd, lerr := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&a), unsafe.Sizeof(a)); lerr == nil {
			return fd, nil
		}
		text, _, _ := bytes.Cut(log, []byte{0})
		err = fmt.Errorf("%w: %q", err, tail(text, 300))
	}
	runtime.KeepAlive(insns)
	runtime.KeepAlive(license)
	return 0, fmt.Errorf("bpf(BPF_PROG_LOAD): %w", err)
}

func tail(b []byte, n int) []byte {
	return b[max(0, len(b)-n):]
}

// ours returns descriptors of the programs on the cgroup that bear our name.
func ours(dirfd int) ([]int, error) {
	ids := make([]uint32, 64) // the kernel's BPF_CGROUP_MAX_PROGS
	q := queryAttr{
		target:     uint32(dirfd),
		attachType: unix.BPF_CGROUP_DEVICE,
		progIDs:    unsafe.Pointer(unsafe.SliceData(ids)),
		progCount:  uint32(len(ids)),
	}
	if _, err := bpf(unix.BPF_PROG_QUERY, unsafe.Pointer(&q), unsafe.Sizeof(q)); err != nil {
		return nil, fmt.Errorf("bpf(BPF_PROG_QUERY): %w", err)
	}
	var fds []int
	for _, id := range ids[:min(int(q.progCount), len(ids))] {
		g := getAttr{id: id}
		fd, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&g), unsafe.Sizeof(g))
		if err != nil {
			continue // it is gone, or not for us to see
		}
		if name, err := nameOf(fd); err == nil && name == progName {
			fds = append(fds, fd)
			continue
		}
		unix.Close(fd)
	}
	return fds, nil
}

func nameOf(fd int) (string, error) {
	var info progInfo
	a := infoAttr{prog: uint32(fd), len: uint32(unsafe.Sizeof(info)), info: unsafe.Pointer(&info)}
	if _, err := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&a), unsafe.Sizeof(a)); err != nil {
		return "", err
	}
	name, _, _ := bytes.Cut(info.name[:], []byte{0})
	return string(name), nil
}
