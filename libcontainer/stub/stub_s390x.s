#include "textflag.h"

// The stub for s390x; stub_amd64.s explains what it is, doc.go what it does. The region
// is big-endian.
//
// Registers: R12 region, R8 operation, R9 operations left, g control descriptor, R14
// flags, R0 tries left, R7 result of a comparison. SYSCALL destroys R2 only. On the
// stack: the six arguments, at 56 whether an answer was sent on the way to an operation.
// R10 and R11 are the assembler's own.

#define REGION 0x20000000
#define OPSIZE 80
#define AGAIN 0x20000

TEXT stubcode<>(SB), NOSPLIT|NOFRAME, $0
	ADD  $-64, R15
	MOVD $3, g

boot: // read(3, sp+8, 8): the length of the region
	MOVD   g, R2
	ADD    $8, R15, R3
	MOVD   $8, R4
	MOVD   $3, R1
	SYSCALL
	CMPBEQ R2, $-4, boot // EINTR
	CMPBNE R2, $8, lost
	MOVD   $REGION, R12
	MOVD   R12, 0(R15) // mmap takes its arguments from memory
	MOVD   $3, R1 // PROT_READ|PROT_WRITE
	MOVD   R1, 16(R15)
	MOVD   $0x100001, R1 // MAP_SHARED|MAP_FIXED_NOREPLACE
	MOVD   R1, 24(R15)
	MOVD   $4, R1
	MOVD   R1, 32(R15)
	MOVD   $0, R1
	MOVD   R1, 40(R15)
	MOVD   R15, R2
	MOVD   $90, R1
	SYSCALL
	CMPBNE R2, R12, lost

wait: // read(control, sp, 1): the next batch
	MOVD   g, R2
	MOVD   R15, R3
	MOVD   $1, R4
	MOVD   $3, R1
	SYSCALL
	CMPBEQ R2, $-4, wait
	CMPBNE R2, $1, lost
	MOVWZ  0(R12), R9
	ADD    $64, R12, R8

next:
	MOVD   $0, R1
	MOVD   R1, 56(R15)
	CMPBEQ R9, $0, answer
	MOVWZ  4(R8), R14
	MOVD   $6, R1
	ADD    $24, R8, R2 // literals
	ADD    $8, R8, R3  // their replacements
	MOVD   R15, R4
	MOVD   $-4095, R7

args: // literal, or the word of the region that the operation names
	MOVD    0(R2), R5
	MOVHZ   0(R3), R6
	CMPBEQ  R6, $0, literal
	SLD     $3, R6
	ADD     R12, R6
	MOVD    0(R6), R5
	CMPUBGE R5, R7, canceled // that call has failed

literal:
	MOVD   R5, 0(R4)
	ADD    $8, R2
	ADD    $2, R3
	ADD    $8, R4
	ADD    $-1, R1
	CMPBNE R1, $0, args
	MOVD   $AGAIN, R0
	TMLL   R14, $4 // answer first
	BEQ    answered
	MOVD   $1, R1
	MOVD   R1, 56(R15)
	BR     answer

answered:
	TMLL R14, $16 // wait for a word
	BEQ  call
	MOVD 0(R15), R3
	ADD  R12, R3
	MOVD $0x10000000, R1

spin: // loads are not reordered
	MOVWZ  0(R3), R2
	CMPBNE R2, $0, woken
	ADD    $-1, R1
	CMPBNE R1, $0, spin
	MOVD   $-110, R2 // ETIMEDOUT
	BR     result

woken:
	MOVD $0, R2
	BR   result

call:
	MOVWZ  0(R8), R1
	MOVD   0(R15), R2
	MOVD   8(R15), R3
	MOVD   16(R15), R4
	MOVD   24(R15), R5
	MOVD   32(R15), R6
	MOVD   40(R15), R7
	SYSCALL
	TMLL   R14, $32 // again while it is EAGAIN
	BEQ    once
	CMPBNE R2, $-11, once
	ADD    $-1, R0
	CMPBNE R0, $0, call

once:
	TMLL   R14, $2 // fork: the parent leaves
	BEQ    result
	CMPBGT R2, $0, leave

result:
	MOVD    R2, 72(R8)
	MOVD    $-4095, R7
	CMPUBGE R2, R7, failed
	TMLL    R14, $8 // adopt as control descriptor
	BEQ     done
	MOVD    R2, g
	BR      done

failed:
	MOVD   $0, R1
	MOVD   R1, 56(R15)
	TMLL   R14, $1 // may fail
	BEQ    answer
	MOVWZ  20(R8), R1 // with these errnos, a byte each; 0: with any
	CMPBEQ R1, $0, done
	NEG    R2, R2

tolerated:
	MOVBZ  R1, R7
	CMPBEQ R2, R7, done
	SRD    $8, R1
	CMPBNE R1, $0, tolerated
	BR     answer

canceled: // an argument does not exist: the call is not performed
	MOVD $-125, R2 // ECANCELED
	MOVD R2, 72(R8)

done:
	ADD $OPSIZE, R8
	ADD $-1, R9
	BR  next

answer: // sendto(control, sp, 1, MSG_NOSIGNAL, 0, 0)
	MOVD   g, R2
	MOVD   R15, R3
	MOVD   $1, R4
	MOVD   $0x4000, R5
	MOVD   $0, R6
	MOVD   $0, R7
	MOVD   $369, R1
	SYSCALL
	CMPBNE R2, $1, lost
	MOVD   56(R15), R1
	CMPBNE R1, $0, answered
	BR     wait

lost: // exit_group(125)
	MOVD $125, R2
	BR   exit

leave:
	MOVD $0, R2

exit:
	MOVD $248, R1
	SYSCALL

	// The handler of signals: exit_group(128 + signal).
	WORD $0x42455254 // "BERT"
	WORD $0x48534947 // "HSIG"
	ADD  $128, R2
	MOVD $248, R1
	SYSCALL
	WORD $0x42455254 // "BERT"
	WORD $0x48454e44 // "HEND"

// func codeAddr() unsafe.Pointer
TEXT ·codeAddr(SB), NOSPLIT, $0-8
	MOVD $stubcode<>(SB), R1
	MOVD R1, ret+0(FP)
	RET
