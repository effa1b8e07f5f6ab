package stub

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Layout of the region, as in stub_*.s and doc.go.
const (
	regionAddr = 0x20000000 // the address in the stub
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

// retPending is an operation's result until the stub has stored one. No system
// call returns it: their results are >= -4095.
const retPending = -1 << 62

// pending reports whether the stub has stored no result, while it works. On 386 it stores
// the upper half last.
func pending(ret int64) bool { return ret>>32 == retPending>>32 }

// MinRegion is the size of a region with an arena of 80 KiB, in bytes: the
// largest seccomp filter takes 32 KiB.
const MinRegion = arenaStart + 80<<10

// RegionSize returns the size, in bytes, of a region for the largest calls: an
// execve with these arguments and environment, in one batch with a seccomp
// filter, and a setgroups with that many groups.
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

// region is the shared memory, mapped in the driver.
type region []byte

// mapRegion maps all of f, which must have the size of a region.
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

// word returns the 32-bit word at off for atomic use by both sides.
func (r region) word(off int) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&r[off]))
}

// atomicRet returns operation i's result while the stub works.
func (r region) atomicRet(i int) *atomic.Int64 {
	return (*atomic.Int64)(unsafe.Pointer(&r.op(i)[opRet]))
}
