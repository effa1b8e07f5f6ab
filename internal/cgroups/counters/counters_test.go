package counters

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/berth-oci/berth/internal/cgroups/cgroupfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
)

func TestParsePSI(t *testing.T) {
	got := parsePSI("some avg10=1.50 avg60=0.25 avg300=0.00 total=4242\nfull avg10=0.00 avg60=0.00 avg300=0.10 total=7")
	want := &cgroups.PSI{Some: cgroups.PSITimes{Avg10: 1.5, Avg60: 0.25, Total: 4242}, Full: cgroups.PSITimes{Avg300: 0.1, Total: 7}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("parsePSI = %+v, want %+v", got, want)
	}
	if got := parsePSI(""); got != nil {
		t.Errorf("parsePSI of an empty file = %+v", got)
	}
}

// statsOf returns the statistics of a directory with these files.
func statsOf(t *testing.T, files map[string]string, read func(*cgroupfs.Reader, *cgroups.Stats)) cgroups.Stats {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var s cgroups.Stats
	if err := new(cgroupfs.Reader).In(dir, func(g *cgroupfs.Reader) { read(g, &s) }); err != nil {
		t.Fatal(err)
	}
	return s
}

// The files are printed as in the kernel's cgroup-v1/rdma.rst and cgroup-v2.rst.
func TestRDMA(t *testing.T) {
	got := statsOf(t, map[string]string{
		"rdma.current": "mlx4_0 hca_handle=1 hca_object=20\nocrdma1 hca_handle=0 hca_object=23\n",
		"rdma.max":     "mlx4_0 hca_handle=2 hca_object=2000\nocrdma1 hca_handle=3 hca_object=max\n",
	}, RDMA)
	want := cgroups.Stats{RDMA: map[string]cgroups.RDMAStats{
		"mlx4_0":  {Handles: cgroups.Count{Usage: 1, Limit: 2}, Objects: cgroups.Count{Usage: 20, Limit: 2000}},
		"ocrdma1": {Handles: cgroups.Count{Limit: 3}, Objects: cgroups.Count{Usage: 23, Limit: cgroups.Max}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestMisc(t *testing.T) {
	got := statsOf(t, map[string]string{
		"misc.current": "res_a 3\nres_b 0\n", "misc.max": "res_a max\nres_b 4\n",
		"misc.peak": "res_a 10\nres_b 8\n", "misc.events": "res_a.max 5\n",
	}, Misc)
	want := cgroups.Stats{Misc: map[string]cgroups.Count{
		"res_a": {Usage: 3, Limit: cgroups.Max, Max: 10, Failcnt: 5}, "res_b": {Limit: 4, Max: 8},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := statsOf(t, map[string]string{"misc.current": "sev 1\n"}, Misc).Misc["sev"]; got.Limit != cgroups.Max {
		t.Errorf("the root cgroup, which has no limits: %+v", got)
	}
}

func TestNUMA(t *testing.T) {
	numa := func(g *cgroupfs.Reader, s *cgroups.Stats) { NUMA(g, s, 4096) }
	got := statsOf(t, map[string]string{"memory.numa_stat": "total=44611 N0=32631 N1=11980\nhierarchical_total=5 N0=5 N1=0\n"}, numa)
	want := map[string]map[int]uint64{"total": {0: 32631 * 4096, 1: 11980 * 4096}, "hierarchical_total": {0: 5 * 4096, 1: 0}}
	if !reflect.DeepEqual(got.Memory.NUMA, want) {
		t.Errorf("got  %v\nwant %v", got.Memory.NUMA, want)
	}
	if got := statsOf(t, nil, numa); got.Memory.NUMA != nil {
		t.Errorf("a kernel without NUMA: %v", got.Memory.NUMA)
	}
}

func TestHostMemory(t *testing.T) {
	var m cgroups.MemoryStats
	err := hostMemory("MemTotal:  1000 kB\nMemFree:  400 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\nHugePages_Total:  0\n", &m)
	want := cgroups.MemoryStats{
		Usage: cgroups.MemoryUsage{Limit: cgroups.Max, Usage: 600 << 10},
		Swap:  cgroups.MemoryUsage{Limit: cgroups.Max, Usage: 630 << 10},
	}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, %v, want %+v", m, err, want)
	}
	if err := hostMemory("MemTotal: x kB\n", &m); err == nil {
		t.Error("a number that does not parse is no error")
	}
}
