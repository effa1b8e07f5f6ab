package stub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// codeAddr returns the address of the stub's code in this program's text.
func codeAddr() unsafe.Pointer

// codeEnd marks the end of the code in stub_*.s; codeMax limits the search for
// it.
const (
	codeEnd = "BERTHEND"
	codeMax = 1024
)

// code returns the stub's instructions from this program's text.
func code() ([]byte, error) {
	text := unsafe.Slice((*byte)(codeAddr()), codeMax)
	n := bytes.Index(text, []byte(codeEnd))
	if n < 0 {
		return nil, errors.New("stub: end marker not found in program text")
	}
	return text[:n], nil
}

const (
	elfHeaderSize = 64 + 56 // Ehdr and one Phdr
	loadAddr      = 0x400000
)

// handlerMark precedes the signal handler in the stub's code.
const handlerMark = "BERTHSIG"

// handlerAddr returns the address of that handler in the stub.
func handlerAddr() (uint64, error) {
	text, err := code()
	if err != nil {
		return 0, err
	}
	n := bytes.Index(text, []byte(handlerMark))
	if n < 0 {
		return 0, errors.New("stub: no signal handler in program text")
	}
	return uint64(loadAddr + elfHeaderSize + n + len(handlerMark)), nil
}

// machine returns the ELF e_machine of the architecture for which berth was
// built.
func machine() (uint16, error) {
	switch runtime.GOARCH {
	case "amd64":
		return 62, nil
	case "arm64":
		return 183, nil
	}
	return 0, fmt.Errorf("stub: no code for %s", runtime.GOARCH)
}

// Image returns the stub as an ELF executable: a header of 120 bytes, then the
// code. It is the same for every container, so it may be installed as a file
// where memory file descriptors cannot be executed.
func Image() ([]byte, error) {
	text, err := code()
	if err != nil {
		return nil, err
	}
	mach, err := machine()
	if err != nil {
		return nil, err
	}
	size := uint64(elfHeaderSize + len(text))
	le := binary.LittleEndian
	b := make([]byte, 0, size)
	b = append(b, 0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint16(b, 2) // ET_EXEC
	b = le.AppendUint16(b, mach)
	b = le.AppendUint32(b, 1)
	b = le.AppendUint64(b, loadAddr+elfHeaderSize) // entry
	b = le.AppendUint64(b, 64)                     // program headers
	b = le.AppendUint64(b, 0)                      // no sections
	b = le.AppendUint32(b, 0)
	for _, half := range []uint16{64, 56, 1, 0, 0, 0} {
		b = le.AppendUint16(b, half)
	}
	b = le.AppendUint32(b, 1) // PT_LOAD
	b = le.AppendUint32(b, 5) // R+X
	for _, word := range []uint64{0, loadAddr, loadAddr, size, size, 0x1000} {
		b = le.AppendUint64(b, word)
	}
	return append(b, text...), nil
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
		return nil, fmt.Errorf("seal stub: %w", err)
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
	f, err := os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o500)
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
