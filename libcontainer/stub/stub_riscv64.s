#include "textflag.h"

// The stub for riscv64; stub_amd64.s explains what it is, doc.go what it does.
//
// Registers: X18 region, X19 operation, X20 operations left, X21 control
// descriptor, X22 flags, X23 answer pending, X24 tries left. ECALL destroys X10 only. X31
// is the assembler's own.

#define REGION 0x20000000
#define OPSIZE 80
#define AGAIN 0x20000

TEXT stubcode<>(SB), NOSPLIT|NOFRAME, $0
	ADD $-64, X2
	MOV $3, X21

boot: // read(3, sp, 8): the length of the region
	MOV X21, X10
	MOV X2, X11
	MOV $8, X12
	MOV $63, X17
	ECALL
	MOV $-4, X5 // EINTR
	BEQ X10, X5, boot
	MOV $8, X5
	BNE X10, X5, lost
	MOV $REGION, X10 // mmap
	MOV 0(X2), X11
	MOV $3, X12 // PROT_READ|PROT_WRITE
	MOV $0x100001, X13 // MAP_SHARED|MAP_FIXED_NOREPLACE
	MOV $4, X14
	MOV $0, X15
	MOV $222, X17
	ECALL
	MOV $REGION, X18
	BNE X10, X18, lost

wait: // read(control, sp, 1): the next batch
	MOV   X21, X10
	MOV   X2, X11
	MOV   $1, X12
	MOV   $63, X17
	ECALL
	MOV   $-4, X5
	BEQ   X10, X5, wait
	MOV   $1, X5
	BNE   X10, X5, lost
	MOVWU 0(X18), X20
	ADD   $64, X18, X19

next:
	MOV   $0, X23
	BEQZ  X20, answer
	MOVWU 4(X19), X22
	MOV   $6, X9
	ADD   $24, X19, X6 // literals
	ADD   $8, X19, X7  // their replacements
	MOV   X2, X28
	MOV   $-4095, X5

args: // literal, or the word of the region that the operation names
	MOV   0(X6), X29
	MOVHU 0(X7), X30
	BEQZ  X30, literal
	SLL   $3, X30
	ADD   X18, X30
	MOV   0(X30), X29
	BGEU  X29, X5, canceled // that call has failed

literal:
	MOV  X29, 0(X28)
	ADD  $8, X6
	ADD  $2, X7
	ADD  $8, X28
	ADD  $-1, X9
	BNEZ X9, args
	MOV  $AGAIN, X24
	AND  $4, X22, X5 // answer first
	BEQZ X5, answered
	MOV  $1, X23
	JMP  answer

answered:
	AND  $16, X22, X5 // wait for a word
	BEQZ X5, call
	MOV  0(X2), X29
	ADD  X18, X29
	MOV  $0x10000000, X9

spin:
	MOVW (X29), X10
	FENCE // what the driver has written before the word is visible
	BNEZ X10, woken
	ADD  $-1, X9
	BNEZ X9, spin
	MOV  $-110, X10 // ETIMEDOUT
	JMP  result

woken:
	MOV $0, X10
	JMP result

call:
	MOVWU 0(X19), X17
	MOV   0(X2), X10
	MOV   8(X2), X11
	MOV   16(X2), X12
	MOV   24(X2), X13
	MOV   32(X2), X14
	MOV   40(X2), X15
	ECALL
	AND   $32, X22, X5 // again while it is EAGAIN
	BEQZ  X5, once
	MOV   $-11, X5
	BNE   X10, X5, once
	ADD   $-1, X24
	BNEZ  X24, call

once:
	AND  $2, X22, X5 // fork: the parent leaves
	BEQZ X5, result
	BGTZ X10, leave

result:
	MOV  X10, 72(X19)
	MOV  $-4095, X5
	BGEU X10, X5, failed
	AND  $8, X22, X5 // adopt as control descriptor
	BEQZ X5, done
	MOV  X10, X21
	JMP  done

failed:
	MOV   $0, X23
	AND   $1, X22, X5 // may fail
	BEQZ  X5, answer
	MOVWU 20(X19), X9 // with these errnos, a byte each; 0: with any
	BEQZ  X9, done
	SUB   X10, X0, X10

tolerated:
	AND  $255, X9, X5
	BEQ  X10, X5, done
	SRL  $8, X9
	BNEZ X9, tolerated
	JMP  answer

canceled: // an argument does not exist: the call is not performed
	MOV $-125, X10 // ECANCELED
	MOV X10, 72(X19)

done:
	ADD $OPSIZE, X19
	ADD $-1, X20
	JMP next

answer: // sendto(control, sp, 1, MSG_NOSIGNAL, 0, 0)
	MOV  X21, X10
	MOV  X2, X11
	MOV  $1, X12
	MOV  $0x4000, X13
	MOV  $0, X14
	MOV  $0, X15
	MOV  $206, X17
	ECALL
	MOV  $1, X5
	BNE  X10, X5, lost
	BNEZ X23, answered
	JMP  wait

lost: // exit_group(125)
	MOV $125, X10
	JMP exit

leave:
	MOV $0, X10

exit:
	MOV $94, X17
	ECALL

	// The handler of signals: exit_group(128 + signal).
	WORD $0x54524542 // "BERT"
	WORD $0x47495348 // "HSIG"
	ADD  $128, X10
	MOV  $94, X17
	ECALL
	WORD $0x54524542 // "BERT"
	WORD $0x444e4548 // "HEND"

// func codeAddr() unsafe.Pointer
TEXT ·codeAddr(SB), NOSPLIT, $0-8
	MOV $stubcode<>(SB), X10
	MOV X10, ret+0(FP)
	RET
