#include "textflag.h"

// The stub for 386; stub_amd64.s explains what it is, doc.go what it does. Arguments are
// the low halves of the region's 64-bit words, and a result is sign-extended.
//
// A call takes all registers but SP, so the stub keeps its values on the stack: the six
// arguments; at 24 the operation, at 28 the operations left, at 32 the control descriptor,
// at 36 whether an answer was sent on the way to an operation, at 40 how often it may be
// tried again, at 44 the flags. Between calls, DI is the operation. INT destroys AX only.

#define REGION 0x20000000
#define OPSIZE 80
#define AGAIN 0x20000

TEXT stubcode<>(SB), NOSPLIT|NOFRAME, $0
	SUBL $64, SP
	MOVL $3, 32(SP)

boot: // read(3, sp, 8): the length of the region
	MOVL $3, AX
	MOVL 32(SP), BX
	MOVL SP, CX
	MOVL $8, DX
	INT  $0x80
	CMPL AX, $-4 // EINTR
	JEQ  boot
	CMPL AX, $8
	JNE  lost
	MOVL $192, AX // mmap2
	MOVL $REGION, BX
	MOVL 0(SP), CX
	MOVL $3, DX // PROT_READ|PROT_WRITE
	MOVL $0x100001, SI // MAP_SHARED|MAP_FIXED_NOREPLACE
	MOVL $4, DI
	XORL BP, BP
	INT  $0x80
	CMPL AX, $REGION
	JNE  lost

wait: // read(control, sp, 1): the next batch
	MOVL $3, AX
	MOVL 32(SP), BX
	MOVL SP, CX
	MOVL $1, DX
	INT  $0x80
	CMPL AX, $-4
	JEQ  wait
	CMPL AX, $1
	JNE  lost
	MOVL $REGION, SI
	MOVL 0(SI), AX
	MOVL AX, 28(SP)
	LEAL 64(SI), DI
	MOVL DI, 24(SP)

next:
	MOVL $0, 36(SP)
	CMPL 28(SP), $0
	JEQ  answer
	MOVL 4(DI), AX
	MOVL AX, 44(SP)
	MOVL $REGION, SI
	XORL CX, CX

args: // literal, or the word of the region that the operation names
	MOVL    24(DI)(CX*8), AX
	MOVWLZX 8(DI)(CX*2), DX
	TESTL   DX, DX
	JEQ     literal
	MOVL    (SI)(DX*8), AX
	CMPL    AX, $-4095
	JCC     canceled // unsigned >=: that call has failed

literal:
	MOVL  AX, (SP)(CX*4)
	INCL  CX
	CMPL  CX, $6
	JNE   args
	MOVL  $AGAIN, 40(SP)
	TESTL $4, 44(SP) // answer first
	JEQ   answered
	MOVL  $1, 36(SP)
	JMP   answer

answered:
	TESTL $16, 44(SP) // wait for a word
	JEQ   call
	MOVL  0(SP), DX
	MOVL  $REGION, SI
	MOVL  $0x10000000, CX

spin:
	PAUSE
	MOVL  (SI)(DX*1), AX
	TESTL AX, AX
	JNE   woken
	DECL  CX
	JNE   spin
	MOVL  $-110, AX // ETIMEDOUT
	JMP   result

woken:
	XORL AX, AX
	JMP  result

call:
	MOVL  24(SP), DI
	MOVL  0(DI), AX
	MOVL  0(SP), BX
	MOVL  4(SP), CX
	MOVL  8(SP), DX
	MOVL  12(SP), SI
	MOVL  16(SP), DI
	MOVL  20(SP), BP
	INT   $0x80
	TESTL $32, 44(SP) // again while it is EAGAIN
	JEQ   once
	CMPL  AX, $-11
	JNE   once
	DECL  40(SP)
	JNE   call

once:
	TESTL $2, 44(SP) // fork: the parent leaves
	JEQ   result
	TESTL AX, AX
	JGT   leave

result: // the half that has the sign comes last: the driver waits for that
	MOVL  24(SP), DI
	MOVL  AX, 72(DI)
	CDQ
	MOVL  DX, 76(DI)
	CMPL  AX, $-4095
	JCC   failed // unsigned >=
	TESTL $8, 44(SP) // adopt as control descriptor
	JEQ   done
	MOVL  AX, 32(SP)
	JMP   done

failed:
	MOVL  $0, 36(SP)
	TESTL $1, 44(SP) // may fail
	JEQ   answer
	MOVL  20(DI), DX // with these errnos, a byte each; 0: with any
	TESTL DX, DX
	JEQ   done
	NEGL  AX

tolerated:
	MOVBLZX DX, CX
	CMPL    CX, AX
	JEQ     done
	SHRL    $8, DX
	JNE     tolerated
	JMP     answer

canceled: // an argument does not exist: the call is not performed
	MOVL $-125, 72(DI) // ECANCELED
	MOVL $-1, 76(DI)

done:
	ADDL $OPSIZE, DI
	MOVL DI, 24(SP)
	DECL 28(SP)
	JMP  next

answer: // sendto(control, sp, 1, MSG_NOSIGNAL, 0, 0)
	MOVL $369, AX
	MOVL 32(SP), BX
	MOVL SP, CX
	MOVL $1, DX
	MOVL $0x4000, SI
	XORL DI, DI
	XORL BP, BP
	INT  $0x80
	CMPL AX, $1
	JNE  lost
	CMPL 36(SP), $0
	JNE  answered
	JMP  wait

lost: // exit_group(125)
	MOVL $125, BX
	JMP  exit

leave:
	XORL BX, BX

exit:
	MOVL $252, AX
	INT  $0x80

	// The handler of signals: exit_group(128 + signal), its argument.
	BYTE $'B'; BYTE $'E'; BYTE $'R'; BYTE $'T'; BYTE $'H'; BYTE $'S'; BYTE $'I'; BYTE $'G'
	MOVL 4(SP), BX
	ADDL $128, BX
	MOVL $252, AX
	INT  $0x80
	BYTE $'B'; BYTE $'E'; BYTE $'R'; BYTE $'T'; BYTE $'H'; BYTE $'E'; BYTE $'N'; BYTE $'D'

// func codeAddr() unsafe.Pointer
TEXT ·codeAddr(SB), NOSPLIT, $0-4
	LEAL stubcode<>(SB), AX
	MOVL AX, ret+0(FP)
	RET
