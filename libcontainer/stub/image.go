package stub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
)

// codeEnd marks the end of the code in stub_*.s; codeMax limits the search for
// it.
const (
	codeEnd = "BERTHEND"
	codeMax = 1024
)

// CheckArchitecture returns an error on an architecture without a stub.
func CheckArchitecture() error {
	_, err := targetOf(runtime.GOARCH)
	return err
}

// code returns the stub's instructions from this program's text.
func code() ([]byte, error) {
	if err := CheckArchitecture(); err != nil {
		return nil, err
	}
	text := unsafe.Slice((*byte)(codeAddr()), codeMax)
	n := bytes.Index(text, []byte(codeEnd))
	if n < 0 {
		return nil, errors.New("stub: end marker not found in program text")
	}
	return text[:n], nil
}

const loadAddr = 0x400000

// handlerMark precedes the signal handler in the stub's code.
const handlerMark = "BERTHSIG"

// handlerAddr returns the address of that handler in the stub.
func handlerAddr() (uint64, error) {
	image, err := Image()
	if err != nil {
		return 0, err
	}
	n := bytes.Index(image, []byte(handlerMark))
	if n < 0 {
		return 0, errors.New("stub: no signal handler in program text")
	}
	return uint64(loadAddr + n + len(handlerMark)), nil
}

// target is what the header of the image says about an architecture.
type target struct {
	architecture string
	machine      uint16 // e_machine
	flags        uint32 // e_flags
	big          bool   // big-endian
	narrow       bool   // addresses have 32 bits
}

// targets are the architectures that have a stub.
var targets = [...]target{
	{architecture: "386", machine: 3, narrow: true},
	{architecture: "amd64", machine: 62},
	{architecture: "arm64", machine: 183},
	{architecture: "loong64", machine: 258},
	{architecture: "ppc64le", machine: 21, flags: 2}, // version 2 of the ABI: a handler's address is that of its code
	{architecture: "riscv64", machine: 243},
	{architecture: "s390x", machine: 22, big: true},
}

// targetOf returns the target of an architecture that has a stub.
func targetOf(architecture string) (target, error) {
	var names []string
	for _, t := range targets {
		if t.architecture == architecture {
			return t, nil
		}
		names = append(names, t.architecture)
	}
	return target{}, fmt.Errorf("no stub for the architecture %s: %w (these have one: %s)", architecture, errors.ErrUnsupported, strings.Join(names, ", "))
}

// order returns the byte order.
func (t target) order() binary.AppendByteOrder {
	if t.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Image returns the stub as an ELF executable: a header, then the code. It is the same for
// every container, so it may be installed as a file where memory file descriptors cannot be
// executed.
func Image() ([]byte, error) {
	text, err := code()
	if err != nil {
		return nil, err
	}
	t, err := targetOf(runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	return t.image(text), nil
}

// image puts the header before the code: Ehdr and one Phdr.
func (t target) image(text []byte) []byte {
	class, ehdr, phdr := byte(2), 64, 56
	if t.narrow {
		class, ehdr, phdr = 1, 52, 32
	}
	const current = 1
	header := uint64(ehdr + phdr)
	size := header + uint64(len(text))
	b := make([]byte, 0, size)
	b = append(b, 0x7f, 'E', 'L', 'F', class, 1, current, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	if t.big {
		b[5] = 2 // ELFDATA2MSB
	}
	bo := t.order()
	b = bo.AppendUint16(b, 2) // ET_EXEC
	b = bo.AppendUint16(b, t.machine)
	b = bo.AppendUint32(b, current)
	b = t.addresses(b, loadAddr+header, uint64(ehdr), 0) // entry, program headers, no sections
	b = bo.AppendUint32(b, t.flags)
	for _, half := range []int{ehdr, phdr, 1, 0, 0, 0} {
		b = bo.AppendUint16(b, uint16(half))
	}
	b = bo.AppendUint32(b, 1) // PT_LOAD
	const rx = 5
	if t.narrow { // the flags are elsewhere
		b = t.addresses(b, 0, loadAddr, loadAddr, size, size, rx, 0x1000)
	} else {
		b = bo.AppendUint32(b, rx)
		b = t.addresses(b, 0, loadAddr, loadAddr, size, size, 0x1000)
	}
	return append(b, text...)
}

// addresses appends fields with the size of an address.
func (t target) addresses(b []byte, fields ...uint64) []byte {
	for _, f := range fields {
		if t.narrow {
			b = t.order().AppendUint32(b, uint32(f))
		} else {
			b = t.order().AppendUint64(b, f)
		}
	}
	return b
}

// openImage makes the stub's executable in a sealed memory file, so that no
// process, not even root in the container, can change what later containers run
// (CVE-2019-5736).
func openImage() (*os.File, error) {
	image, err := Image()
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate("berth-stub", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // Linux 6.3 added MFD_EXEC
		fd, err = unix.MemfdCreate("berth-stub", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, fmt.Errorf("memfd_create: %w", err)
	}
	f := os.NewFile(uintptr(fd), "berth-stub")
	if _, err := f.Write(image); err != nil {
		f.Close()
		return nil, err
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		f.Close()
		return nil, fmt.Errorf("seal stub: fcntl: %w", err)
	}
	return f, nil
}

// installImage writes the image to a file without a name, for this stub alone.
// Root in a container could write to the file through /proc/PID/exe when the
// stub has ended, but the file is never executed again (CVE-2019-5736).
func installImage(dir string) (*os.File, error) {
	image, err := Image()
	if err != nil {
		return nil, err
	}
	f, err := sys.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o500)
	if err != nil {
		return nil, fmt.Errorf("install stub: %w", err)
	}
	defer f.Close() // a file that is open for writing cannot be executed
	if _, err := f.Write(image); err != nil {
		return nil, fmt.Errorf("install stub: %w", err)
	}
	r, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("install stub: %w", err)
	}
	return r, nil
}
