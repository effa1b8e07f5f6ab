//go:build amd64 || arm64

package sys

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct sigaction, the same on all 64-bit architectures
// with SA_RESTORER.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

const saFlags = 0x1c000000 // SA_RESTORER | SA_ONSTACK | SA_RESTART

// signalPipe is the descriptor that the handler writes to.
var signalPipe int32 //nolint:unused // signals_*.s reads it

// signalHandler and signalRestorer return addresses of code in assembler. The handler
// writes the number of the signal, one byte, to signalPipe; it uses nothing of Go.
func signalHandler() uintptr

func signalRestorer() uintptr

// CatchSignals returns a file with one byte for each signal of the set that this
// process gets from now on. The signals no longer have any other effect, and os/signal
// does not see them. For the rest of the process's life; only one call may be made.
//
// os/signal needs two threads, and about ten thread switches for each signal that it
// is asked for: more than half a millisecond, in a process that lives for ten.
func CatchSignals(set []unix.Signal) (*os.File, error) {
	var fds [2]int
	// A full pipe drops signals, as os/signal drops those that do not fit into a channel.
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	signalPipe = int32(fds[1])
	// The mask blocks all signals while the handler runs.
	act := sigaction{handler: signalHandler(), flags: saFlags, restorer: signalRestorer(), mask: ^uint64(0)}
	for _, s := range set {
		if err := setSigaction(s, &act); err != nil {
			unix.Close(fds[0]) // the handler may be in use, so the other end stays open
			return nil, os.NewSyscallError("rt_sigaction", err)
		}
	}
	return os.NewFile(uintptr(fds[0]), "signals"), nil
}

func setSigaction(s unix.Signal, act *sigaction) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(act)), 0, unsafe.Sizeof(act.mask), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
