#include "textflag.h"

// The handler has the signal's number in R0. The kernel saves and restores all
// registers, and has put the address of the restorer into LR (R30).
TEXT handler<>(SB), NOSPLIT|NOFRAME, $0
	SUB  $16, RSP
	MOVD R0, (RSP)
	MOVD $64, R8 // write(pipe, sp, 1)
	MOVW ·signalPipe(SB), R0
	MOVD RSP, R1
	MOVD $1, R2
	SVC  $0
	ADD  $16, RSP
	RET

TEXT restorer<>(SB), NOSPLIT|NOFRAME, $0
	MOVD $139, R8 // rt_sigreturn
	SVC  $0
	BRK

#define MOVE MOVD
#define RESULT R0
#include "signals.h"
