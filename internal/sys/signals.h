// The part of signals_ARCHITECTURE.s that differs in the names of an instruction and a
// register only.

// func signalHandler() uintptr
TEXT ·signalHandler(SB), NOSPLIT, $0-8
	MOVE $handler<>(SB), RESULT
	MOVE RESULT, ret+0(FP)
	RET

// func signalRestorer() uintptr
TEXT ·signalRestorer(SB), NOSPLIT, $0-8
	MOVE $restorer<>(SB), RESULT
	MOVE RESULT, ret+0(FP)
	RET
