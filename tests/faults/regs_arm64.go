package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// systemCall is NT_ARM_SYSTEM_CALL: the register set with the number of the call.
const systemCall = 0x404

// registers returns the number and the arguments of the call that a thread enters.
func registers(tid int) (number int, args [6]uint64, err error) {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &r); err != nil {
		return 0, args, fmt.Errorf("ptrace(GETREGS): %w", err)
	}
	return int(r.Regs[8]), [6]uint64(r.Regs[:6]), nil
}

// skipCall makes the kernel skip the call that a thread enters.
func skipCall(tid int) error {
	// The kernel reads the first four bytes.
	r := unix.PtraceRegsArm64{}
	r.Regs[0] = ^uint64(0)
	return unix.PtraceSetRegSetArm64(tid, systemCall, &r)
}

// setResult sets the result of the call that a thread leaves.
func setResult(tid int, errno unix.Errno) error {
	var r unix.PtraceRegs
	if err := unix.PtraceGetRegs(tid, &r); err != nil {
		return err
	}
	r.Regs[0] = uint64(-int64(errno))
	return unix.PtraceSetRegs(tid, &r)
}
