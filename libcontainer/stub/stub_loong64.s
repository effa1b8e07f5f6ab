#include "textflag.h"

// The stub for loong64; stub_amd64.s explains what it is, doc.go what it does.
//
// Registers: R23 region, R24 operation, R25 operations left, R26 control
// descriptor, R27 flags, R28 answer pending, R29 tries left. SYSCALL destroys R4 and R12
// to R20. R30 is the assembler's own.

#define REGION 0x20000000
#define OPSIZE 80
#define AGAIN 0x20000

TEXT stubcode<>(SB), NOSPLIT|NOFRAME, $0
	ADDV $-64, R3
	MOVV $3, R26

boot: // read(3, sp, 8): the length of the region
	MOVV R26, R4
	MOVV R3, R5
	MOVV $8, R6
	MOVV $63, R11
	SYSCALL
	MOVV $-4, R12 // EINTR
	BEQ  R4, R12, boot
	MOVV $8, R12
	BNE  R4, R12, lost
	MOVV $REGION, R4 // mmap
	MOVV 0(R3), R5
	MOVV $3, R6 // PROT_READ|PROT_WRITE
	MOVV $0x100001, R7 // MAP_SHARED|MAP_FIXED_NOREPLACE
	MOVV $4, R8
	MOVV $0, R9
	MOVV $222, R11
	SYSCALL
	MOVV $REGION, R23
	BNE  R4, R23, lost

wait: // read(control, sp, 1): the next batch
	MOVV  R26, R4
	MOVV  R3, R5
	MOVV  $1, R6
	MOVV  $63, R11
	SYSCALL
	MOVV  $-4, R12
	BEQ   R4, R12, wait
	MOVV  $1, R12
	BNE   R4, R12, lost
	MOVWU 0(R23), R25
	ADDV  $64, R23, R24

next:
	MOVV  $0, R28
	BEQ   R25, answer
	MOVWU 4(R24), R27
	MOVV  $6, R13
	ADDV  $24, R24, R14 // literals
	ADDV  $8, R24, R15  // their replacements
	MOVV  R3, R16
	MOVV  $-4095, R12

args: // literal, or the word of the region that the operation names
	MOVV  0(R14), R17
	MOVHU 0(R15), R18
	BEQ   R18, literal
	SLLV  $3, R18
	ADDV  R23, R18
	MOVV  0(R18), R17
	BGEU  R17, R12, canceled // that call has failed

literal:
	MOVV R17, 0(R16)
	ADDV $8, R14
	ADDV $2, R15
	ADDV $8, R16
	ADDV $-1, R13
	BNE  R13, args
	MOVV $AGAIN, R29
	AND  $4, R27, R12 // answer first
	BEQ  R12, answered
	MOVV $1, R28
	JMP  answer

answered:
	AND  $16, R27, R12 // wait for a word
	BEQ  R12, call
	MOVV 0(R3), R17
	ADDV R23, R17
	MOVV $0x10000000, R13

spin:
	MOVW (R17), R4
	DBAR $0x14 // acquire: what the driver has written before the word is visible
	BNE  R4, woken
	ADDV $-1, R13
	BNE  R13, spin
	MOVV $-110, R4 // ETIMEDOUT
	JMP  result

woken:
	MOVV $0, R4
	JMP  result

call:
	MOVWU 0(R24), R11
	MOVV  0(R3), R4
	MOVV  8(R3), R5
	MOVV  16(R3), R6
	MOVV  24(R3), R7
	MOVV  32(R3), R8
	MOVV  40(R3), R9
	SYSCALL
	AND   $32, R27, R12 // again while it is EAGAIN
	BEQ   R12, once
	MOVV  $-11, R12
	BNE   R4, R12, once
	ADDV  $-1, R29
	BNE   R29, call

once:
	AND $2, R27, R12 // fork: the parent leaves
	BEQ R12, result
	BLT R0, R4, leave

result:
	MOVV R4, 72(R24)
	MOVV $-4095, R12
	BGEU R4, R12, failed
	AND  $8, R27, R12 // adopt as control descriptor
	BEQ  R12, done
	MOVV R4, R26
	JMP  done

failed:
	MOVV  $0, R28
	AND   $1, R27, R12 // may fail
	BEQ   R12, answer
	MOVWU 20(R24), R13 // with these errnos, a byte each; 0: with any
	BEQ   R13, done
	SUBV  R4, R0, R4

tolerated:
	AND  $255, R13, R12
	BEQ  R4, R12, done
	SRLV $8, R13
	BNE  R13, tolerated
	JMP  answer

canceled: // an argument does not exist: the call is not performed
	MOVV $-125, R4 // ECANCELED
	MOVV R4, 72(R24)

done:
	ADDV $OPSIZE, R24
	ADDV $-1, R25
	JMP  next

answer: // sendto(control, sp, 1, MSG_NOSIGNAL, 0, 0)
	MOVV R26, R4
	MOVV R3, R5
	MOVV $1, R6
	MOVV $0x4000, R7
	MOVV $0, R8
	MOVV $0, R9
	MOVV $206, R11
	SYSCALL
	MOVV $1, R12
	BNE  R4, R12, lost
	BNE  R28, answered
	JMP  wait

lost: // exit_group(125)
	MOVV $125, R4
	JMP  exit

leave:
	MOVV $0, R4

exit:
	MOVV $94, R11
	SYSCALL

	// The handler of signals: exit_group(128 + signal).
	WORD $0x54524542 // "BERT"
	WORD $0x47495348 // "HSIG"
	ADDV $128, R4
	MOVV $94, R11
	SYSCALL
	WORD $0x54524542 // "BERT"
	WORD $0x444e4548 // "HEND"

// func codeAddr() unsafe.Pointer
TEXT ·codeAddr(SB), NOSPLIT, $0-8
	MOVV $stubcode<>(SB), R4
	MOVV R4, ret+0(FP)
	RET
