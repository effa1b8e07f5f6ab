#include "textflag.h"

// The handler has the signal's number in DI. The kernel saves and restores all
// registers, and has put the address of the restorer on the stack.
TEXT handler<>(SB), NOSPLIT|NOFRAME, $0
	SUBQ $8, SP
	MOVQ DI, 0(SP)
	MOVL $1, AX // write(pipe, sp, 1)
	MOVL ·signalPipe(SB), DI
	MOVQ SP, SI
	MOVL $1, DX
	SYSCALL
	ADDQ $8, SP
	RET

TEXT restorer<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $15, AX // rt_sigreturn
	SYSCALL
	INT  $3

#define MOVE MOVQ
#define RESULT AX
#include "signals.h"
