package manager

import (
	"testing"
)

// BenchmarkStats reads the statistics of a cgroup with a process, in all hierarchies of
// the host.
func BenchmarkStats(b *testing.B) {
	m := created(b)
	start(b, m)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Stats(); err != nil {
			b.Fatal(err)
		}
	}
}
