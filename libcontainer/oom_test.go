package libcontainer

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/stub"
)

func TestShortage(t *testing.T) {
	limit := cgroups.MemoryUsage{Limit: 4096}
	const told, killed = memoryField + " is 4096 bytes", "killed for want of memory: " + memoryField + " is 4096 bytes"
	for _, c := range []struct {
		name  string
		err   error
		mem   cgroups.MemoryStats
		inUse bool
		want  string
	}{
		{"killed", stub.ErrGone, cgroups.MemoryStats{Usage: limit, OOMKills: 1}, false, killed},
		{"died while it executed a program", stub.ErrGone, cgroups.MemoryStats{Usage: limit, OOMs: 1}, false, killed},
		{"another was killed", errors.New("other"), cgroups.MemoryStats{Usage: limit, OOMKills: 1}, true, ""},
		{"no memory for a call", unix.ENOMEM, cgroups.MemoryStats{Usage: limit, OOMs: 1}, false, told},
		{"no memory and no limit", unix.ENOMEM, cgroups.MemoryStats{Usage: cgroups.MemoryUsage{Limit: cgroups.Max}}, false, ""},
		{"memory was had in the end", errors.New("other"), cgroups.MemoryStats{Usage: limit, OOMs: 1}, false, ""},
		{"ended otherwise", stub.ErrGone, cgroups.MemoryStats{Usage: limit}, false, ""},
	} {
		if got := shortage(c.err, c.mem, c.inUse); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
