package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// thawed waits while a stopped thread is frozen, and reports whether it is stopped still.
// The calls of ptrace fail with ESRCH on a thread that the v1 freezer has frozen in a stop.
func thawed(tid int) bool {
	for end := time.Now().Add(patient(5 * time.Second)); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		switch stateOf(tid) {
		case 't':
			return true
		case 'D':
		default:
			return false
		}
	}
	return false
}

// stateOf returns the letter of a thread's state, 0 if it is gone.
func stateOf(tid int) byte {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", tid)) // empty if it is gone
	i := strings.LastIndexByte(string(text), ')')
	if i < 0 || i+2 >= len(text) {
		return 0
	}
	return text[i+2]
}
