package sys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseProcStat(t *testing.T) {
	fields := strings.Fields(strings.Repeat("0 ", 50))
	fields[0], fields[1], fields[3], fields[5], fields[6] = "Z", "11", "12", "-1", "4"
	fields[19], fields[20], fields[49] = "1234567890123", "4096", "9"
	text := "7 (a) R (b\n) " + strings.Join(fields, " ")
	p, err := parseProcStat([]byte(text + "\n"))
	want := ProcStat{
		Name: "a) R (b\n", State: 'Z', Parent: 11, Session: 12, Exiting: true,
		StartTime: 1234567890123, HasMemory: true, Status: 9,
	}
	if err != nil || p != want {
		t.Errorf("got %+v, %v, want %+v", p, err, want)
	}
	for _, bad := range []string{"", "7 (a", "7 a) R 1 2", "7 )a( R 1 2", "7 (a) R 1 2", strings.Replace(text, "1234567890123", "x", 1)} {
		if p, err := parseProcStat([]byte(bad)); err == nil {
			t.Errorf("%q: %+v", bad, p)
		}
	}
}

// A process that is just being reaped: read while its parent was in waitid(2), Linux 6.18.
func TestParseProcStatOfAReapedProcess(t *testing.T) {
	const text = "58 (berth/init) X 0 -1 -1 0 -1 4227340 10 0 0 0 0 0 0 0 20 0 0 0 913529 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 32000\n"
	p, err := parseProcStat([]byte(text))
	want := ProcStat{Name: "berth/init", State: 'X', Session: -1, Exiting: true, StartTime: 913529, Status: 32000}
	if err != nil || p != want {
		t.Errorf("got %+v, %v, want %+v", p, err, want)
	}
}

func TestReadProcStat(t *testing.T) {
	p, err := ReadProcStat(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	session, err := unix.Getsid(0)
	name := filepath.Base(os.Args[0])
	if err != nil || !strings.HasPrefix(name, p.Name) || !strings.ContainsRune("RS", rune(p.State)) || p.StartTime == 0 ||
		p.Exiting || !p.HasMemory || p.Parent != os.Getppid() || p.Session != session {
		t.Errorf("this process: %+v, session %d, %v", p, session, err)
	}
	const none = 1 << 30 // greater than any process ID
	if p, err := ReadProcStat(none); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no process: %+v, %v", p, err)
	}
}
