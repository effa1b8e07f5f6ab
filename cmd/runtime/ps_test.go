package main

import (
	"strings"
	"testing"
)

func TestPrintProcesses(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"ps -ef": {
			"UID          PID    PPID  C STIME TTY          TIME CMD\nroot           1       0  0 14:01 ?        00:00:00 init\nroot          42       1  0 14:01 ?        00:00:01 sleep 43\nroot          43      42  0 14:01 ?        00:00:01 x\n",
			"UID          PID    PPID  C STIME TTY          TIME CMD\nroot          42       1  0 14:01 ?        00:00:01 sleep 43\n",
		},
		"pid first": {"    PID CMD\n     42 a 1\n      1 b 42\n", "    PID CMD\n     42 a 1\n"},
		"pid alone": {"    PID\n     42\n      1\n", "    PID\n     42\n"},
		"ppid before": {
			"   PPID     PID\n     42       1\n      1      42\n",
			"   PPID     PID\n      1      42\n",
		},
		"blanks before": {
			"COMMAND                         PID\nsleep 42                        100\nmy program 7 8                   42\n",
			"COMMAND                         PID\nmy program 7 8                   42\n",
		},
		"a wide column before": {
			"USER     PID\naverylongname 42\nroot      41\n",
			"USER     PID\naverylongname 42\n",
		},
		"nothing": {"    PID CMD\n", "    PID CMD\n"},
	} {
		var out strings.Builder
		if err := printProcesses(&out, c.table, []int{42}); err != nil || out.String() != c.want {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
	if err := printProcesses(new(strings.Builder), "PPID CMD\n42 x\n", []int{42}); err == nil {
		t.Error("a table without process ids is taken")
	}
}
