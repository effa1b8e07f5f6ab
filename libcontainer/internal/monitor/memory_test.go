package monitor

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/stub"
)

func TestShortage(t *testing.T) {
	limit := cgroups.MemoryUsage{Limit: 4096}
	const limited = MemoryField + " is 4096 bytes"
	for _, c := range []struct {
		name   string
		err    error
		mem    cgroups.MemoryStats
		inUse  bool
		want   string
		killed bool
	}{
		{"killed", stub.ErrGone, cgroups.MemoryStats{Usage: limit, OOMKills: 1}, false, limited, true},
		{"less than a page", stub.ErrGone, cgroups.MemoryStats{OOMKills: 1}, false, MemoryField + " is less than a page", true},
		{"died in execve", stub.ErrGone, cgroups.MemoryStats{Usage: limit, OOMs: 1}, false, limited, true},
		{"another process was killed", errors.New("other"), cgroups.MemoryStats{Usage: limit, OOMKills: 1}, true, "", false},
		{"a call failed with ENOMEM", unix.ENOMEM, cgroups.MemoryStats{Usage: limit, OOMs: 1}, false, limited, false},
		{"ENOMEM without a limit", unix.ENOMEM, cgroups.MemoryStats{Usage: cgroups.MemoryUsage{Limit: cgroups.Max}}, false, "", false},
		{"the limit was reached without a failure", errors.New("other"), cgroups.MemoryStats{Usage: limit, OOMs: 1}, false, "", false},
		{"ended otherwise", stub.ErrGone, cgroups.MemoryStats{Usage: limit}, false, "", false},
	} {
		if got, killed := Shortage(c.err, c.mem, c.inUse); got != c.want || killed != c.killed {
			t.Errorf("%s: %q, %t, want %q, %t", c.name, got, killed, c.want, c.killed)
		}
	}
}
