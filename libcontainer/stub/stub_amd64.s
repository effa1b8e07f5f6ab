#include "textflag.h"

// The stub: the whole of what berth runs inside a container. It is never
// called; its bytes are copied into an ELF image (image.go) and started as a
// process of its own, so it must be position-independent and touch no symbol.
// doc.go describes its operation and the layout that it shares with region.go.
//
// Registers: R12 operation, R13 region, R14 control descriptor, R15 operations
// left, BX flags. SYSCALL destroys RAX, RCX and R11 only. On the stack: the six
// arguments, at 56 whether an answer was sent on the way to an operation, at 60
// how often it may be tried again.

#define REGION 0x20000000
#define OPSIZE 80
#define AGAIN 0x20000

TEXT stubcode<>(SB), NOSPLIT|NOFRAME, $0
	SUBQ $64, SP
	MOVL $3, R14

boot: // read(3, sp, 8): the length of the region
	XORL AX, AX
	MOVL R14, DI
	MOVQ SP, SI
	MOVL $8, DX
	SYSCALL
	CMPQ AX, $-4 // EINTR
	JEQ  boot
	CMPQ AX, $8
	JNE  lost
	MOVL $9, AX // mmap
	MOVL $REGION, DI
	MOVQ 0(SP), SI
	MOVL $3, DX // PROT_READ|PROT_WRITE
	MOVL $0x100001, R10 // MAP_SHARED|MAP_FIXED_NOREPLACE
	MOVL $4, R8
	XORL R9, R9
	SYSCALL
	MOVL $REGION, R13
	CMPQ AX, R13
	JNE  lost

wait: // read(control, sp, 1): the next batch
	XORL AX, AX
	MOVL R14, DI
	MOVQ SP, SI
	MOVL $1, DX
	SYSCALL
	CMPQ AX, $-4
	JEQ  wait
	CMPQ AX, $1
	JNE  lost
	MOVL 0(R13), R15
	LEAQ 64(R13), R12

next:
	MOVL  $0, 56(SP)
	TESTL R15, R15
	JZ    answer
	MOVL  4(R12), BX
	XORL  CX, CX

args: // literal, or the word of the region that the operation names
	MOVQ    24(R12)(CX*8), AX
	MOVWLZX 8(R12)(CX*2), DX
	TESTL   DX, DX
	JZ      literal
	MOVQ    (R13)(DX*8), AX
	CMPQ    AX, $-4095
	JCC     canceled // unsigned >=: that call has failed

literal:
	MOVQ  AX, (SP)(CX*8)
	INCL  CX
	CMPL  CX, $6
	JNE   args
	MOVL  $AGAIN, 60(SP)
	TESTL $4, BX // answer first
	JZ    answered
	MOVL  $1, 56(SP)
	JMP   answer

answered:
	TESTL $16, BX // wait for a word
	JZ    call
	MOVQ  0(SP), DX
	MOVL  $0x10000000, CX

spin:
	PAUSE
	MOVL  (R13)(DX*1), AX
	TESTL AX, AX
	JNZ   woken
	DECL  CX
	JNZ   spin
	MOVQ  $-110, AX // ETIMEDOUT
	JMP   result

woken:
	XORL AX, AX
	JMP  result

call:
	MOVL 0(R12), AX
	MOVQ 0(SP), DI
	MOVQ 8(SP), SI
	MOVQ 16(SP), DX
	MOVQ 24(SP), R10
	MOVQ 32(SP), R8
	MOVQ 40(SP), R9
	SYSCALL
	TESTL $32, BX // again while it is EAGAIN
	JZ    once
	CMPQ  AX, $-11
	JNE   once
	DECL  60(SP)
	JNZ   call

once:
	TESTL $2, BX // fork: the parent leaves
	JZ    result
	TESTQ AX, AX
	JGT   leave

result:
	MOVQ  AX, 72(R12)
	CMPQ  AX, $-4095
	JCC   failed // unsigned >=
	TESTL $8, BX // adopt as control descriptor
	JZ    done
	MOVL  AX, R14
	JMP   done

failed:
	MOVL  $0, 56(SP)
	TESTL $1, BX // may fail
	JZ    answer
	MOVL  20(R12), DX // with these errnos, a byte each; 0: with any
	TESTL DX, DX
	JZ    done
	NEGL  AX

tolerated:
	MOVBLZX DX, CX
	CMPL    CX, AX
	JEQ     done
	SHRL    $8, DX
	JNZ     tolerated
	JMP     answer

canceled: // an argument does not exist: the call is not performed
	MOVQ $-125, AX // ECANCELED
	MOVQ AX, 72(R12)

done:
	ADDQ $OPSIZE, R12
	DECL R15
	JMP  next

answer: // sendto(control, sp, 1, MSG_NOSIGNAL, 0, 0)
	MOVL  $44, AX
	MOVL  R14, DI
	MOVQ  SP, SI
	MOVL  $1, DX
	MOVL  $0x4000, R10
	XORL  R8, R8
	XORL  R9, R9
	SYSCALL
	CMPQ  AX, $1
	JNE   lost
	CMPL  56(SP), $0
	JNE   answered
	JMP   wait

lost: // exit_group(125)
	MOVL $125, DI
	JMP  exit

leave:
	XORL DI, DI

exit:
	MOVL $231, AX
	SYSCALL

	// The handler of signals: exit_group(128 + signal). image.go finds it by the
	// eight bytes before it.
	BYTE $'B'; BYTE $'E'; BYTE $'R'; BYTE $'T'; BYTE $'H'; BYTE $'S'; BYTE $'I'; BYTE $'G'
	ADDL $128, DI
	MOVL $231, AX
	SYSCALL
	BYTE $'B'; BYTE $'E'; BYTE $'R'; BYTE $'T'; BYTE $'H'; BYTE $'E'; BYTE $'N'; BYTE $'D'

// func codeAddr() unsafe.Pointer
TEXT ·codeAddr(SB), NOSPLIT, $0-8
	LEAQ stubcode<>(SB), AX
	MOVQ AX, ret+0(FP)
	RET
