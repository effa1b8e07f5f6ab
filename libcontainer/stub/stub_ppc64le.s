#include "textflag.h"

// The stub for ppc64le; stub_amd64.s explains what it is, doc.go what it does.
//
// Registers: R14 region, R15 operation, R16 operations left, R17 control
// descriptor, R18 flags, R19 answer pending, R20 tries left. SYSCALL destroys R0, R3 to R12
// and the condition. R31 is the assembler's own, and expects 0 in R0.

#define REGION 0x20000000
#define OPSIZE 80
#define AGAIN 0x20000

// PERFORM is a system call. One that fails sets the overflow bit and returns a positive
// errno.
#define PERFORM \
	SYSCALL;    \
	BVC 2(PC);  \
	NEG R3, R3; \
	XOR R0, R0, R0

TEXT stubcode<>(SB), NOSPLIT|NOFRAME, $0
	ADD  $-64, R1
	MOVD $3, R17

boot: // read(3, sp, 8): the length of the region
	MOVD R17, R3
	MOVD R1, R4
	MOVD $8, R5
	MOVD $3, R0
	PERFORM
	CMP  R3, $-4 // EINTR
	BEQ  boot
	CMP  R3, $8
	BNE  lost
	MOVD $REGION, R3 // mmap
	MOVD 0(R1), R4
	MOVD $3, R5 // PROT_READ|PROT_WRITE
	MOVD $0x100001, R6 // MAP_SHARED|MAP_FIXED_NOREPLACE
	MOVD $4, R7
	MOVD $0, R8
	MOVD $90, R0
	PERFORM
	MOVD $REGION, R14
	CMP  R3, R14
	BNE  lost

wait: // read(control, sp, 1): the next batch
	MOVD  R17, R3
	MOVD  R1, R4
	MOVD  $1, R5
	MOVD  $3, R0
	PERFORM
	CMP   R3, $-4
	BEQ   wait
	CMP   R3, $1
	BNE   lost
	MOVWZ 0(R14), R16
	ADD   $64, R14, R15

next:
	MOVD  $0, R19
	CMP   R16, $0
	BEQ   answer
	MOVWZ 4(R15), R18
	MOVD  $6, R9
	ADD   $24, R15, R10 // literals
	ADD   $8, R15, R11  // their replacements
	MOVD  R1, R21
	MOVD  $-4095, R12

args: // literal, or the word of the region that the operation names
	MOVD  0(R10), R22
	MOVHZ 0(R11), R23
	CMP   R23, $0
	BEQ   literal
	SLD   $3, R23
	ADD   R14, R23
	MOVD  0(R23), R22
	CMPU  R22, R12
	BGE   canceled // that call has failed

literal:
	MOVD  R22, 0(R21)
	ADD   $8, R10
	ADD   $2, R11
	ADD   $8, R21
	ADD   $-1, R9
	CMP   R9, $0
	BNE   args
	MOVD  $AGAIN, R20
	ANDCC $4, R18, R12 // answer first
	BEQ   answered
	MOVD  $1, R19
	BR    answer

answered:
	ANDCC $16, R18, R12 // wait for a word
	BEQ   call
	MOVD  0(R1), R22
	ADD   R14, R22
	MOVD  $0x10000000, R9

spin:
	MOVWZ  (R22), R3
	LWSYNC // what the driver has written before the word is visible
	CMP    R3, $0
	BNE    woken
	ADD    $-1, R9
	CMP    R9, $0
	BNE    spin
	MOVD   $-110, R3 // ETIMEDOUT
	BR     result

woken:
	MOVD $0, R3
	BR   result

call:
	MOVWZ 0(R15), R0
	MOVD  0(R1), R3
	MOVD  8(R1), R4
	MOVD  16(R1), R5
	MOVD  24(R1), R6
	MOVD  32(R1), R7
	MOVD  40(R1), R8
	PERFORM
	ANDCC $32, R18, R12 // again while it is EAGAIN
	BEQ   once
	CMP   R3, $-11
	BNE   once
	ADD   $-1, R20
	CMP   R20, $0
	BNE   call

once:
	ANDCC $2, R18, R12 // fork: the parent leaves
	BEQ   result
	CMP   R3, $0
	BGT   leave

result:
	MOVD  R3, 72(R15)
	MOVD  $-4095, R12
	CMPU  R3, R12
	BGE   failed
	ANDCC $8, R18, R12 // adopt as control descriptor
	BEQ   done
	MOVD  R3, R17
	BR    done

failed:
	MOVD  $0, R19
	ANDCC $1, R18, R12 // may fail
	BEQ   answer
	MOVWZ 20(R15), R9 // with these errnos, a byte each; 0: with any
	CMP   R9, $0
	BEQ   done
	NEG   R3, R3

tolerated:
	ANDCC $255, R9, R12
	CMP   R3, R12
	BEQ   done
	SRD   $8, R9
	CMP   R9, $0
	BNE   tolerated
	BR    answer

canceled: // an argument does not exist: the call is not performed
	MOVD $-125, R3 // ECANCELED
	MOVD R3, 72(R15)

done:
	ADD $OPSIZE, R15
	ADD $-1, R16
	BR  next

answer: // sendto(control, sp, 1, MSG_NOSIGNAL, 0, 0)
	MOVD R17, R3
	MOVD R1, R4
	MOVD $1, R5
	MOVD $0x4000, R6
	MOVD $0, R7
	MOVD $0, R8
	MOVD $335, R0
	PERFORM
	CMP  R3, $1
	BNE  lost
	CMP  R19, $0
	BNE  answered
	BR   wait

lost: // exit_group(125)
	MOVD $125, R3
	BR   exit

leave:
	MOVD $0, R3

exit:
	MOVD $234, R0
	PERFORM

	// The handler of signals: exit_group(128 + signal).
	WORD $0x54524542 // "BERT"
	WORD $0x47495348 // "HSIG"
	ADD  $128, R3
	MOVD $234, R0
	PERFORM
	WORD $0x54524542 // "BERT"
	WORD $0x444e4548 // "HEND"

// func codeAddr() unsafe.Pointer
TEXT ·codeAddr(SB), NOSPLIT, $0-8
	MOVD $stubcode<>(SB), R3
	MOVD R3, ret+0(FP)
	RET
