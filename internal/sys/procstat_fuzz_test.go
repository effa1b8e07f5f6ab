package sys

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// FuzzProcStat parses /proc/PID/stat with an arbitrary command name.
func FuzzProcStat(f *testing.F) {
	f.Add("sh", uint64(7), uint32(9), byte('S'))
	f.Add(") Z 1 (x)", uint64(1<<64-1), uint32(1<<31), byte('Z'))
	f.Add("\n)", uint64(0), uint32(0), byte('R'))
	f.Fuzz(func(t *testing.T, name string, start uint64, status uint32, letter byte) {
		_, _ = parseProcStat([]byte(name)) // any error
		if letter <= ' ' || letter > '~' || letter == ')' {
			return
		}
		text := fmt.Appendf(nil, "12 (%s) %c 1 2 3 4 5 4194308 %s%d %s%d\n", name, letter,
			strings.Repeat("0 ", 12), start, strings.Repeat("0 ", 29), int32(status))
		p, err := parseProcStat(bytes.Clone(text))
		if int32(status) < 0 {
			return // the kernel prints no such status
		}
		if err != nil || p.Name != name || p.State != letter || p.Parent != 1 || p.Session != 3 || !p.Exiting || p.StartTime != start || uint32(p.Status) != status {
			t.Errorf("%q: %+v, %v", text, p, err)
		}
	})
}
