package state

import (
	"os"
	"strings"
	"testing"
)

func TestReadProcess(t *testing.T) {
	p, err := ReadProcess(os.Getpid())
	if err != nil || !strings.ContainsRune("RS", rune(p.State)) || p.StartTime == 0 || p.Exiting {
		t.Errorf("this process: %+v, %v", p, err)
	}
	const none = 1 << 30 // greater than any process ID
	if p, err := ReadProcess(none); err != nil || p.State != 'X' {
		t.Errorf("no process: %+v, %v", p, err)
	}
}
