package cgroups

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDelegate(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cgroup.procs", "")
	if err := delegate(dir, []string{"cgroup.procs", "absent"}, os.Getuid()); err != nil {
		t.Error(err)
	}
	if err := delegate(dir+"/gone", nil, os.Getuid()); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no cgroup: %v", err)
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Engines parse the JSON form: it is that of runc's "events --stats".
func TestStatsJSON(t *testing.T) {
	s := NewStats()
	s.CPU = CPUStats{Usage: CPUUsage{Total: 534020000, Kernel: 293918000, User: 240102000}, PSI: &PSI{}}
	s.Memory = MemoryStats{
		Usage: MemoryUsage{Limit: Max, Usage: 290816, Max: 6332416},
		Swap:  MemoryUsage{Limit: Max, Usage: 290816},
		Raw:   map[string]uint64{"anon": 1},
		NUMA:  map[string]map[int]uint64{"anon": {0: 8192, 1: 0}},
	}
	s.Pids.Current = 1
	s.Blkio.IOServiceBytesRecursive = []BlkioEntry{{Major: 8, Op: "Read", Value: 5}}
	s.Hugetlb["2MB"] = HugetlbStats{}
	s.RDMA = map[string]RDMAStats{"mlx5_0": {Handles: Count{Limit: 2, Usage: 1}, Objects: Count{Limit: Max}}}
	s.Misc = map[string]Count{"sev": {Limit: 4, Usage: 3, Max: 4, Failcnt: 9}}
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	psi := `{"avg10":0,"avg60":0,"avg300":0,"total":0}`
	want := `{"cpu":{"usage":{"total":534020000,"kernel":293918000,"user":240102000},"psi":{"some":` + psi + `,"full":` + psi + `}},` +
		`"cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,` +
		`"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},` +
		`"memory":{"usage":{"limit":18446744073709551615,"usage":290816,"max":6332416,"failcnt":0},` +
		`"swap":{"limit":18446744073709551615,"usage":290816,"failcnt":0},"raw":{"anon":1},"numa":{"anon":{"0":8192,"1":0}}},` +
		`"pids":{"current":1},"blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":5}]},"hugetlb":{"2MB":{"failcnt":0}},` +
		`"rdma":{"mlx5_0":{"handles":{"limit":2,"usage":1,"failcnt":0},"objects":{"limit":18446744073709551615,"usage":0,"failcnt":0}}},` +
		`"misc":{"sev":{"limit":4,"usage":3,"max":4,"failcnt":9}}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// passing is a cgroup that a process leaves between two reads of its list.
type passing struct {
	Manager
	before, after []int
	asked         *bool
}

func (p passing) Processes() ([]int, error) {
	if *p.asked {
		return p.after, nil
	}
	*p.asked = true
	return p.before, nil
}

// A process id that was read from a cgroup can belong to another process when
// the signal is sent.
func TestSignalsOnlyCurrentMembers(t *testing.T) {
	member, stranger := exec.Command("sleep", "100"), exec.Command("sleep", "100")
	for _, cmd := range []*exec.Cmd{member, stranger} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		defer cmd.Process.Kill() //nolint:errcheck // the end of the test
	}
	there, gone := member.Process.Pid, stranger.Process.Pid
	m := passing{before: []int{there, gone, 1 << 22}, after: []int{there}, asked: new(bool)}
	if err := signalAll(m, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := member.Wait(); err == nil {
		t.Error("the process in the cgroup was not killed")
	}
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", gone)); err != nil || strings.Contains(string(status), ") Z ") {
		t.Errorf("the process outside of the cgroup was killed: %s, %v", status, err)
	}
}
