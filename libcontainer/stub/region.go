package stub

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Layout of the region; stub_*.s and doc.go say the same.
const (
	regionAddr = 0x20000000 // where the stub has it mapped
	opsStart   = 64
	opSize     = 80
	maxOps     = 600
	arenaStart = 0xC000 // opsStart + maxOps*opSize, rounded up
)

// Offsets within an operation.
const (
	opNr    = 0
	opFlags = 4
	opFrom  = 8
	// opTolerated are the errnos that the call may fail with, a byte each.
	opTolerated = 20
	opArgs      = 24
	opRet       = 72
)

// Flags of an operation.
const (
	flagMayFail = 1 << iota
	flagFork
	flagAnswer
	flagAdopt
	flagSpin
	flagAgain
)

// retPending stands in an operation's result until the stub has stored one.
// It is no result of any system call: those are >= -4095.
const retPending = -1 << 62

// MinRegion is the size of a region whose arena holds 80 KiB: the largest seccomp
// filter takes 32.
const MinRegion = arenaStart + 80<<10

// RegionSize returns the size of a region with room for the largest calls: an
// execve with these arguments and environment, in one batch with a seccomp
// filter, and a setgroups of so many groups.
func RegionSize(argv, env []string, groups int) int {
	size := MinRegion + 4*groups + 8*(len(argv)+len(env)+2)
	for _, list := range [][]string{argv, env} {
		for _, s := range list {
			size += len(s) + 1
		}
	}
	page := os.Getpagesize()
	return (size + page - 1) / page * page
}

// region is the driver's view of the shared memory.
type region []byte

// mapRegion maps the whole of f, which must have the size of a region.
func mapRegion(f *os.File) (region, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() < MinRegion || st.Size() > 1<<30 {
		return nil, fmt.Errorf("map stub region: size is %d", st.Size())
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, int(st.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map stub region: %w", err)
	}
	return mem, nil
}

func (r region) op(i int) []byte {
	return r[opsStart+i*opSize:][:opSize:opSize]
}

func (r region) setCount(n int) { binary.NativeEndian.PutUint32(r, uint32(n)) }

func (r region) ret(i int) int64 {
	return int64(binary.NativeEndian.Uint64(r.op(i)[opRet:]))
}

func (r region) setRet(i int, v int64) {
	binary.NativeEndian.PutUint64(r.op(i)[opRet:], uint64(v))
}

// retWord is the index, in words, of operation i's result.
func retWord(i int) uint16 { return uint16((opsStart + i*opSize + opRet) / 8) }

// word gives the 32-bit word at off for atomic use by both sides.
func (r region) word(off int) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&r[off]))
}

// atomicRet is operation i's result for who reads it while the stub works.
func (r region) atomicRet(i int) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Pointer(&r.op(i)[opRet]))
}
