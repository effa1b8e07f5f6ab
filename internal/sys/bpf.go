package sys

import (
	"bytes"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The used fields of union bpf_attr, from include/uapi/linux/bpf.h. The kernel
// accepts a shorter union and fills it up with zeros.
type (
	// bpfPointer has 64 bits on every architecture. The first half is the low one where
	// Go's have 32: the stub has no big-endian architecture of that kind.
	bpfPointer [8 / unsafe.Sizeof(uintptr(0))]unsafe.Pointer

	bpfLoadAttr struct {
		progType    uint32
		insnCount   uint32
		insns       bpfPointer
		license     bpfPointer
		logLevel    uint32
		logSize     uint32
		logBuf      bpfPointer
		kernVersion uint32
		progFlags   uint32
		progName    [unix.BPF_OBJ_NAME_LEN]byte
	}
	bpfAttachAttr struct {
		target     uint32
		prog       uint32
		attachType uint32
		flags      uint32
		replace    uint32
	}
	bpfQueryAttr struct {
		target      uint32
		attachType  uint32
		queryFlags  uint32
		attachFlags uint32
		progIDs     bpfPointer
		progCount   uint32
		_           uint32
	}
	bpfGetAttr struct {
		id        uint32
		nextID    uint32
		openFlags uint32
	}
	bpfInfoAttr struct {
		prog uint32
		len  uint32
		info bpfPointer
	}
	// bpfProgInfo is the beginning of struct bpf_prog_info.
	bpfProgInfo struct {
		progType     uint32
		id           uint32
		tag          [8]byte
		jitedLen     uint32
		xlatedLen    uint32
		jitedInsns   uint64
		xlatedInsns  uint64
		loadTime     uint64
		createdByUID uint32
		mapIDCount   uint32
		mapIDs       uint64
		name         [unix.BPF_OBJ_NAME_LEN]byte
	}
)

// insnSize is sizeof(struct bpf_insn) in bytes.
const insnSize = 8

func bpf(cmd int, attr unsafe.Pointer, size uintptr) (int, error) {
	for range 5 {
		r, _, errno := unix.Syscall(unix.SYS_BPF, uintptr(cmd), uintptr(attr), size)
		switch errno {
		case 0:
			return int(r), nil
		case unix.EAGAIN, unix.EINTR:
			// The verifier aborts when a signal is pending (Linux 5.0), and
			// Go's runtime sends many to itself.
			continue
		}
		return 0, errno
	}
	return 0, unix.EAGAIN
}

// BPFLoad loads a program of type BPF_PROG_TYPE_* from encoded instructions and
// returns its descriptor. The name has at most 15 bytes. If log is not empty,
// the verifier writes its messages to it, terminated by a zero byte.
func BPFLoad(progType uint32, insns []byte, license, name string, log []byte) (int, error) {
	lic := append([]byte(license), 0)
	a := bpfLoadAttr{
		progType:  progType,
		insnCount: uint32(len(insns) / insnSize),
		insns:     bpfPointer{unsafe.Pointer(unsafe.SliceData(insns))},
		license:   bpfPointer{unsafe.Pointer(unsafe.SliceData(lic))},
	}
	copy(a.progName[:unix.BPF_OBJ_NAME_LEN-1], name)
	if len(log) > 0 {
		a.logLevel, a.logSize, a.logBuf = 1, uint32(len(log)), bpfPointer{unsafe.Pointer(unsafe.SliceData(log))}
	}
	fd, err := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&a), unsafe.Sizeof(a))
	runtime.KeepAlive(insns)
	runtime.KeepAlive(lic)
	runtime.KeepAlive(log)
	return fd, err
}

// BPFAttach attaches prog to the cgroup directory dir. If replace is not 0,
// prog replaces that program (BPF_F_REPLACE, Linux 5.6).
func BPFAttach(dir, prog int, attachType, flags uint32, replace int) error {
	a := bpfAttachAttr{target: uint32(dir), prog: uint32(prog), attachType: attachType, flags: flags, replace: uint32(replace)}
	if replace != 0 {
		a.flags |= unix.BPF_F_REPLACE
	}
	_, err := bpf(unix.BPF_PROG_ATTACH, unsafe.Pointer(&a), unsafe.Sizeof(a))
	return err
}

// BPFQuery returns the IDs of the programs that are attached to the cgroup
// directory itself, at most 64 (BPF_CGROUP_MAX_PROGS).
func BPFQuery(dir int, attachType uint32) ([]uint32, error) {
	ids := make([]uint32, 64)
	q := bpfQueryAttr{target: uint32(dir), attachType: attachType, progIDs: bpfPointer{unsafe.Pointer(unsafe.SliceData(ids))}, progCount: uint32(len(ids))}
	if _, err := bpf(unix.BPF_PROG_QUERY, unsafe.Pointer(&q), unsafe.Sizeof(q)); err != nil {
		return nil, err
	}
	return ids[:min(int(q.progCount), len(ids))], nil
}

// BPFProgFD opens a program by its ID.
func BPFProgFD(id uint32) (int, error) {
	g := bpfGetAttr{id: id}
	return bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&g), unsafe.Sizeof(g))
}

// BPFProgName returns the name that a program was loaded with.
func BPFProgName(fd int) (string, error) {
	var info bpfProgInfo
	a := bpfInfoAttr{prog: uint32(fd), len: uint32(unsafe.Sizeof(info)), info: bpfPointer{unsafe.Pointer(&info)}}
	if _, err := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&a), unsafe.Sizeof(a)); err != nil {
		return "", err
	}
	name, _, _ := bytes.Cut(info.name[:], []byte{0})
	return string(name), nil
}
