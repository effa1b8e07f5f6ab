#include "textflag.h"

// The stub for arm64; stub_amd64.s explains what it is, doc.go what it does.
//
// Registers: R19 region, R20 operation, R21 operations left, R22 control
// descriptor, R23 flags, R24 answer pending, R25 tries left. SVC destroys R0 only.

#define REGION 0x20000000
#define OPSIZE 80
#define AGAIN 0x20000

TEXT stubcode<>(SB), NOSPLIT|NOFRAME, $0
	SUB  $64, RSP
	MOVD $3, R22

boot: // read(3, sp, 8): the length of the region
	MOVD R22, R0
	MOVD RSP, R1
	MOVD $8, R2
	MOVD $63, R8
	SVC  $0
	CMN  $4, R0 // EINTR
	BEQ  boot
	CMP  $8, R0
	BNE  lost
	MOVD $REGION, R0 // mmap
	MOVD 0(RSP), R1
	MOVD $3, R2 // PROT_READ|PROT_WRITE
	MOVD $0x100001, R3 // MAP_SHARED|MAP_FIXED_NOREPLACE
	MOVD $4, R4
	MOVD $0, R5
	MOVD $222, R8
	SVC  $0
	MOVD $REGION, R19
	CMP  R19, R0
	BNE  lost

wait: // read(control, sp, 1): the next batch
	MOVD  R22, R0
	MOVD  RSP, R1
	MOVD  $1, R2
	MOVD  $63, R8
	SVC   $0
	CMN   $4, R0
	BEQ   wait
	CMP   $1, R0
	BNE   lost
	MOVWU 0(R19), R21
	ADD   $64, R19, R20

next:
	MOVD  $0, R24
	CBZ   R21, answer
	MOVWU 4(R20), R23
	MOVD  $0, R9
	ADD   $24, R20, R10 // literals
	ADD   $8, R20, R11  // their replacements
	MOVD  RSP, R12

args: // literal, or the word of the region that the operation names
	MOVD.P  8(R10), R13
	MOVHU.P 2(R11), R14
	CBZ     R14, literal
	LSL     $3, R14, R14
	MOVD    (R19)(R14), R13
	CMN     $4095, R13
	BHS     canceled // that call has failed

literal:
	MOVD.P R13, 8(R12)
	ADD    $1, R9
	CMP    $6, R9
	BNE    args
	MOVD   $AGAIN, R25
	TBZ    $2, R23, answered // answer first
	MOVD   $1, R24
	B      answer

answered:
	TBZ  $4, R23, call // wait for a word
	MOVD 0(RSP), R13
	ADD  R19, R13
	MOVD $0x10000000, R9

spin:
	YIELD
	LDARW (R13), R0
	CBNZW R0, woken
	SUB   $1, R9
	CBNZ  R9, spin
	MOVD  $-110, R0 // ETIMEDOUT
	B     result

woken:
	MOVD $0, R0
	B    result

call:
	MOVWU 0(R20), R8
	MOVD  0(RSP), R0
	MOVD  8(RSP), R1
	MOVD  16(RSP), R2
	MOVD  24(RSP), R3
	MOVD  32(RSP), R4
	MOVD  40(RSP), R5
	SVC   $0
	TBZ   $5, R23, once // again while it is EAGAIN
	CMN   $11, R0
	BNE   once
	SUB   $1, R25
	CBNZ  R25, call

once:
	TBZ   $1, R23, result // fork: the parent leaves
	CMP   $0, R0
	BGT   leave

result:
	MOVD R0, 72(R20)
	CMN  $4095, R0
	BHS  failed
	TBZ  $3, R23, done // adopt as control descriptor
	MOVD R0, R22
	B    done

failed:
	MOVD  $0, R24
	TBZ   $0, R23, answer // may fail
	MOVWU 20(R20), R9 // with these errnos, a byte each; 0: with any
	CBZ   R9, done
	NEG   R0, R0

tolerated:
	AND  $255, R9, R10
	CMP  R10, R0
	BEQ  done
	LSR  $8, R9
	CBNZ R9, tolerated
	B    answer

canceled: // an argument does not exist: the call is not performed
	MOVD $-125, R0 // ECANCELED
	MOVD R0, 72(R20)

done:
	ADD $OPSIZE, R20
	SUB $1, R21
	B   next

answer: // sendto(control, sp, 1, MSG_NOSIGNAL, 0, 0)
	MOVD R22, R0
	MOVD RSP, R1
	MOVD $1, R2
	MOVD $0x4000, R3
	MOVD $0, R4
	MOVD $0, R5
	MOVD $206, R8
	SVC  $0
	CMP  $1, R0
	BNE  lost
	CBNZ R24, answered
	B    wait

lost: // exit_group(125)
	MOVD $125, R0
	B    exit

leave:
	MOVD $0, R0

exit:
	MOVD $94, R8
	SVC  $0

	// The handler of signals: exit_group(128 + signal).
	WORD $0x54524542 // "BERT"
	WORD $0x47495348 // "HSIG"
	ADD  $128, R0
	MOVD $94, R8
	SVC  $0
	WORD $0x54524542 // "BERT"
	WORD $0x444e4548 // "HEND"

// func codeAddr() unsafe.Pointer
TEXT ·codeAddr(SB), NOSPLIT, $0-8
	MOVD $stubcode<>(SB), R0
	MOVD R0, ret+0(FP)
	RET
