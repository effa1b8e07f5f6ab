package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// registers returns the number and the arguments of the call that a thread enters.
func registers(tid int) (number int, args [6]uint64, err error) {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &r); err != nil {
		return 0, args, fmt.Errorf("ptrace(GETREGS): %w", err)
	}
	return int(r.Orig_rax), [6]uint64{r.Rdi, r.Rsi, r.Rdx, r.R10, r.R8, r.R9}, nil
}

// skipCall makes the kernel skip the call that a thread enters.
func skipCall(tid int) error {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &r); err != nil {
		return err
	}
	r.Orig_rax = ^uint64(0)
	return unix.PtraceSetRegs(tid, &r)
}

// setResult sets the result of the call that a thread leaves.
func setResult(tid int, errno unix.Errno) error {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &r); err != nil {
		return err
	}
	r.Rax = uint64(-int64(errno))
	return unix.PtraceSetRegs(tid, &r)
}
