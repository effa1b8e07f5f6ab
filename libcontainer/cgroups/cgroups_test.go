package cgroups

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestCleanPath(t *testing.T) {
	for in, want := range map[string]string{
		"":             "",
		"/":            "/",
		".":            "",
		"a/b":          "a/b",
		"/a/b/":        "/a/b",
		"../../x":      "x",
		"/../../x":     "/x",
		"a/../../x":    "x",
		"/a/./b//../c": "/a/c",
		"..":           "",
		"a/..":         "",
	} {
		if got := CleanPath(in); got != want {
			t.Errorf("CleanPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"", "/", "..", "a/../..", "/../..", "a//b/./c", "..a/...", "../\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := CleanPath(s)
		if filepath.IsAbs(got) != filepath.IsAbs(s) {
			t.Errorf("CleanPath(%q) = %q changes between relative and absolute", s, got)
		}
		if slices.Contains(strings.Split(got, "/"), "..") {
			t.Errorf("CleanPath(%q) = %q leads out", s, got)
		}
		if CleanPath(got) != got {
			t.Errorf("CleanPath(%q) = %q is not clean", s, got)
		}
	})
}

func TestSharesToWeight(t *testing.T) {
	for shares, want := range map[uint64]uint64{
		0: 1, 1: 1, 2: 1, 100: 17, 512: 59, 1024: 100, 2048: 174, 262144: 10000, 1 << 40: 10000,
	} {
		if got := SharesToWeight(shares); got != want {
			t.Errorf("SharesToWeight(%d) = %d, want %d", shares, got, want)
		}
	}
	last := uint64(0)
	for s := uint64(2); s <= MaxShares; s += 7 {
		got := SharesToWeight(s)
		if got < last || got < 1 || got > 10000 {
			t.Fatalf("SharesToWeight(%d) = %d after %d", s, got, last)
		}
		last = got
	}
}

func TestIOWeight(t *testing.T) {
	for w, want := range map[uint16]uint64{10: 1, 100: 910, 500: 4950, 1000: 10000} {
		if got := IOWeight(w); got != want {
			t.Errorf("IOWeight(%d) = %d, want %d", w, got, want)
		}
	}
}

func TestSwapLimit(t *testing.T) {
	for _, c := range []struct{ swap, memory, want int64 }{
		{300, 100, 200}, {100, 100, 0}, {-1, 100, -1}, {-1, -1, -1},
	} {
		if got, err := SwapLimit(c.swap, c.memory); got != c.want || err != nil {
			t.Errorf("SwapLimit(%d, %d) = %d, %v, want %d", c.swap, c.memory, got, err, c.want)
		}
	}
	for _, c := range []struct{ swap, memory int64 }{{99, 100}, {100, -1}} {
		if _, err := SwapLimit(c.swap, c.memory); !errors.Is(err, unix.EINVAL) {
			t.Errorf("SwapLimit(%d, %d): error %v, want EINVAL", c.swap, c.memory, err)
		}
	}
}

func TestPidsLimit(t *testing.T) {
	for n, want := range map[int64]string{-1: "max", -5: "max", 0: "1", 1: "1", 32771: "32771"} {
		if got := PidsLimit(n); got != want {
			t.Errorf("PidsLimit(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	if got, err := ParseList("0-3,7\n"); err != nil || !reflect.DeepEqual(got, []uint16{0, 1, 2, 3, 7}) {
		t.Errorf("ParseList = %v, %v", got, err)
	}
	if got, err := ParseList(""); err != nil || got != nil {
		t.Errorf("ParseList of nothing = %v, %v", got, err)
	}
	if _, err := ParseList("0-65535,0-65535,x"); err == nil {
		t.Error("ParseList takes what is no list")
	}
	for in, want := range map[string]uint64{"max": Max, "0": 0, "-1": 0, " 12\n": 12, "18446744073709551615": Max} {
		if got, err := ParseUint(in); got != want || err != nil {
			t.Errorf("ParseUint(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	if _, err := ParseUint("x"); err == nil {
		t.Error("ParseUint takes what is no number")
	}
}

func TestPSI(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cpu.pressure", "some avg10=1.50 avg60=0.25 avg300=0.00 total=4242\nfull avg10=0.00 avg60=0.00 avg300=0.10 total=7\n")
	g := OpenGauge(dir)
	want := &PSI{Some: PSITimes{Avg10: 1.5, Avg60: 0.25, Total: 4242}, Full: PSITimes{Avg300: 0.1, Total: 7}}
	if got := g.PSI("cpu.pressure"); !reflect.DeepEqual(got, want) {
		t.Errorf("PSI = %+v, want %+v", got, want)
	}
	if got := g.PSI("io.pressure"); got != nil {
		t.Errorf("PSI of a file that is not there = %+v", got)
	}
	if g.Err() != nil {
		t.Error(g.Err())
	}
}

func TestGaugeKeepsTheFirstError(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", "word\n")
	g := OpenGauge(dir)
	if n := g.Uint("absent"); n != 0 || g.Err() != nil {
		t.Errorf("absent file: %d, %v", n, g.Err())
	}
	g.Uint("a")
	if g.Err() == nil || !strings.Contains(g.Err().Error(), "word") {
		t.Errorf("error %v does not tell what was read", g.Err())
	}
	if g := OpenGauge(dir + "/gone"); !errors.Is(g.Err(), unix.ENOENT) {
		t.Errorf("no directory: %v", g.Err())
	}
}

func TestNamesStayInTheDirectory(t *testing.T) {
	top := t.TempDir()
	dir := top + "/cgroup"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, top, "x", "outside")
	write(t, dir, "own", "")
	for link, target := range map[string]string{"rel": "../x", "abs": top + "/x", "near": "own", "magic": "/proc/self/cwd"} {
		if err := os.Symlink(target, dir+"/"+link); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "/x", "a/b", "x\x00", "rel", "abs", "near", "magic"} {
		if err := WriteFile(dir, name, "hit"); err == nil {
			t.Errorf("WriteFile(%q) succeeds", name)
		}
		if _, err := ReadFile(dir, name); err == nil {
			t.Errorf("ReadFile(%q) succeeds", name)
		}
	}
	if b, _ := os.ReadFile(top + "/x"); string(b) != "outside" {
		t.Errorf("the file outside holds %q", b)
	}

	// What stands in for openat2 refuses links too.
	dirfd, err := unix.Open(dir, unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dirfd)
	for _, link := range []string{"rel", "abs", "near", "magic"} {
		if fd, err := openSingle(dirfd, link, unix.O_RDONLY); err == nil {
			unix.Close(fd)
			t.Errorf("openSingle(%q) follows the link", link)
		}
	}
	fd, err := openSingle(dirfd, "own", unix.O_RDONLY)
	if err != nil {
		t.Errorf("openSingle: %v", err)
	}
	unix.Close(fd)
}

func TestWriteErrorNamesAll(t *testing.T) {
	dir := t.TempDir()
	err := new(Transaction).Apply(dir, []Write{{
		Field: "memory.limit", File: "memory.max", Value: "100",
		Remedy: map[unix.Errno]string{unix.ENOENT: "do this"},
	}})
	if !errors.Is(err, unix.ENOENT) {
		t.Fatalf("error %v is not ENOENT", err)
	}
	for _, part := range []string{"memory.limit: ", `"100"`, fmt.Sprintf("%s/memory.max", dir), "no such file", "(do this)"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}

// TestApplyOrder plays the kernel's rule that a <= b at any moment.
func TestApplyOrder(t *testing.T) {
	for _, c := range []struct{ a, b, newA, newB int }{
		{100, 200, 300, 400}, {300, 400, 100, 200}, {100, 400, 200, 300}, {200, 300, 100, 400}, {1, 1, 2, 2}, {2, 2, 1, 1},
	} {
		a, b := c.a, c.b
		err := applyWith([]Write{{File: "a"}, {File: "b"}}, func(w Write) error {
			na, nb := a, b
			if w.File == "a" {
				na = c.newA
			} else {
				nb = c.newB
			}
			if na > nb {
				return fmt.Errorf("write %s: %w", w.File, unix.EINVAL)
			}
			a, b = na, nb
			return nil
		})
		if err != nil || a != c.newA || b != c.newB {
			t.Errorf("%+v: got %d %d, %v", c, a, b, err)
		}
	}
	calls := 0
	err := applyWith([]Write{{File: "a"}, {File: "b"}}, func(w Write) error {
		calls++
		return fmt.Errorf("write %s: %w", w.File, unix.EINVAL)
	})
	if calls != 2 || err == nil || err.Error() != "write a: invalid argument" {
		t.Errorf("two invalid writes: %d calls, %v", calls, err)
	}
	err = applyWith([]Write{{File: "a"}, {File: "b"}}, func(w Write) error { return unix.EBUSY })
	if !errors.Is(err, unix.EBUSY) {
		t.Errorf("error %v, want EBUSY at once", err)
	}
}

// A transaction that is rolled back leaves what was there, in files of one
// value, of lines and of lists.
func TestTransaction(t *testing.T) {
	before := map[string]string{
		"memory.max": "4096", "cpu.max": "max 100000", "cpuset.cpus": "", "cpuset.mems": "", "cpuset.mems.effective": "0-3",
		"io.max": "8:0 rbps=1 wbps=max", "io.weight": "default 100\n8:0 50", "memory.oom_control": "oom_kill_disable 0\nunder_oom 0",
	}
	writes := []Write{
		{File: "memory.max", Value: "8192"},
		{File: "memory.max", Value: "12288"},
		{File: "cpu.max", Value: "500 1000"},
		{File: "cpuset.cpus", Value: "0-1"},
		{File: "cpuset.mems", Value: "0"},
		{File: "io.max", Row: "8:0", Value: "8:0 rbps=2"},
		{File: "io.weight", Row: "default", Value: "200"},
		{File: "memory.oom_control", Row: "oom_kill_disable", Value: "1"},
	}
	dir := t.TempDir()
	for name, content := range before {
		write(t, dir, name, content+"\n")
	}
	var tx Transaction
	if err := tx.Apply(dir, writes); err != nil {
		t.Fatal(err)
	}
	for i, w := range writes[1:] {
		if got, _ := ReadFile(dir, w.File); got != w.Value {
			t.Errorf("write %d: %s = %q", i+1, w.File, got)
		}
	}
	missing := Write{Field: "x", File: "x.max", Value: "1"}
	err := tx.Rollback(tx.Apply(dir, []Write{missing}))
	if !errors.Is(err, unix.ENOENT) || strings.Contains(err.Error(), "restore") {
		t.Errorf("error %v", err)
	}
	// The kernel takes these one by one, and what was a line is written alone.
	before["io.weight"], before["memory.oom_control"] = "100", "0"
	// The kernel would not have it empty again.
	before["cpuset.mems"] = before["cpuset.mems.effective"]
	for name, want := range before {
		if got, err := ReadFile(dir, name); got != want {
			t.Errorf("%s = %q, want %q, %v", name, got, want, err)
		}
	}
}

// What is there already is not written: v1 would refuse even the old limit
// while more than it is in use.
func TestTransactionLeavesWhatHolds(t *testing.T) {
	dir := t.TempDir()
	for _, w := range []Write{
		{File: "memory.limit_in_bytes", Value: "8192"},
		{File: "memory.limit_in_bytes", Value: "8193", Pages: true},
		{File: "io.max", Row: "8:0", Value: "8:0 rbps=1"},
	} {
		content := "8192\n"
		if w.Row != "" {
			content = "7:0 rbps=2\n8:0 rbps=1\n"
		}
		write(t, dir, w.File, content)
		if err := new(Transaction).Apply(dir, []Write{w}); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(dir + "/" + w.File); string(got) != content {
			t.Errorf("%+v: written, %q", w, got)
		}
	}
	w := Write{File: "pids.max", Value: "8193"}
	write(t, dir, w.File, "8192\n")
	if err := new(Transaction).Apply(dir, []Write{w}); err != nil {
		t.Fatal(err)
	}
	if got, _ := ReadFile(dir, w.File); got != "8193" {
		t.Errorf("%+v: %q", w, got)
	}
}

func TestProcessesIn(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cgroup.procs", "30\n10\n10\n")
	for _, sub := range []string{"b", "b/c"} {
		if err := os.Mkdir(dir+"/"+sub, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, dir+"/"+sub, "cgroup.procs", "2"+fmt.Sprint(len(sub))+"\n")
	}
	got, err := ProcessesIn(dir)
	if err != nil || !reflect.DeepEqual(got, []int{10, 21, 23, 30}) {
		t.Errorf("ProcessesIn = %v, %v", got, err)
	}
	err = CheckEmpty(dir)
	if !errors.Is(err, ErrNotEmpty) || !strings.Contains(err.Error(), "cgroup not empty: 4 processes") || !strings.Contains(err.Error(), dir) {
		t.Errorf("CheckEmpty: %v", err)
	}
}

func TestMakeAndRemove(t *testing.T) {
	top := t.TempDir()
	made, err := MakeDir(top + "/a/b/c")
	if want := []string{top + "/a", top + "/a/b", top + "/a/b/c"}; err != nil || !reflect.DeepEqual(made, want) {
		t.Fatalf("MakeDir = %q, %v", made, err)
	}
	if again, err := MakeDir(top + "/a/b/c"); err != nil || again != nil {
		t.Errorf("MakeDir again = %q, %v", again, err)
	}
	// A neighbour keeps what both are in.
	if _, err := MakeDir(top + "/a/x"); err != nil {
		t.Fatal(err)
	}
	RemoveMade(made)
	if _, err := os.Stat(top + "/a/b"); !os.IsNotExist(err) {
		t.Errorf("RemoveMade leaves a/b: %v", err)
	}
	if _, err := os.Stat(top + "/a/x"); err != nil {
		t.Errorf("RemoveMade removes a neighbour: %v", err)
	}
	if _, err := MakeDir(top + "/a/x/1/2"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := RemoveTree(context.Background(), top+"/a"); err != nil {
			t.Errorf("RemoveTree: %v", err)
		}
	}
	write(t, top, "file", "")
	if _, err := MakeDir(top + "/file/x"); !errors.Is(err, unix.ENOTDIR) {
		t.Errorf("MakeDir below a file: %v", err)
	}
}

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

func TestRootIsSpared(t *testing.T) {
	if !IsRoot("/proc") || IsRoot("/proc/self") || IsRoot(t.TempDir()) {
		t.Error("IsRoot does not tell mount points from other directories")
	}
	if err := RemoveTree(context.Background(), "/proc"); !errors.Is(err, unix.EPERM) {
		t.Errorf("RemoveTree of a mount point: %v", err)
	}
}

func TestWaitEvent(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cgroup.events", "populated 1\nfrozen 0\n")
	if err := WaitEvent(dir, "frozen", "0", time.Now()); err != nil {
		t.Errorf("WaitEvent for what is: %v", err)
	}
	err := WaitEvent(dir, "populated", "0", time.Now().Add(5*time.Millisecond))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("WaitEvent for what never comes: %v", err)
	}
	if frozen, err := FrozenV2(dir); frozen || err != nil {
		t.Errorf("FrozenV2 = %v, %v", frozen, err)
	}
	for state, want := range map[string]bool{"THAWED": false, "FROZEN": true, "FREEZING": true} {
		write(t, dir, "freezer.state", state+"\n")
		if frozen, err := FrozenV1(dir); frozen != want || err != nil {
			t.Errorf("FrozenV1 of %s = %v, %v", state, frozen, err)
		}
	}
	for _, f := range []func(string) (bool, error){FrozenV1, FrozenV2} {
		if frozen, err := f(dir + "/gone"); frozen || err != nil {
			t.Errorf("frozen though absent: %v, %v", frozen, err)
		}
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The JSON form is an interface: that of runc's "events --stats".
func TestStatsJSON(t *testing.T) {
	s := NewStats()
	s.CPU = CPUStats{Usage: CPUUsage{Total: 534020000, Kernel: 293918000, User: 240102000}, PSI: &PSI{}}
	s.Memory = MemoryStats{
		Usage: MemoryUsage{Limit: Max, Usage: 290816, Max: 6332416},
		Swap:  MemoryUsage{Limit: Max, Usage: 290816},
		Raw:   map[string]uint64{"anon": 1},
	}
	s.Pids.Current = 1
	s.Blkio.IOServiceBytesRecursive = []BlkioEntry{{Major: 8, Op: "Read", Value: 5}}
	s.Hugetlb["2MB"] = HugetlbStats{}
	got, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	psi := `{"avg10":0,"avg60":0,"avg300":0,"total":0}`
	want := `{"cpu":{"usage":{"total":534020000,"kernel":293918000,"user":240102000},"psi":{"some":` + psi + `,"full":` + psi + `}},` +
		`"cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,` +
		`"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},` +
		`"memory":{"usage":{"limit":18446744073709551615,"usage":290816,"max":6332416,"failcnt":0},` +
		`"swap":{"limit":18446744073709551615,"usage":290816,"failcnt":0},"raw":{"anon":1}},` +
		`"pids":{"current":1},"blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":5}]},"hugetlb":{"2MB":{"failcnt":0}}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestPageSizes(t *testing.T) {
	for size, ok := range map[string]bool{
		"2MB": true, "64KB": true, "1GB": true, "1048576KB": true,
		"": false, "MB": false, "2M": false, "2B": false, "2MBB": false, "0MB": false, "02MB": false, "2mb": false, "2 MB": false, "2TB": false, "../2MB": false,
	} {
		_, err := HugetlbWrites("/nowhere", "max", []specs.LinuxHugepageLimit{{Pagesize: size}})
		if ok != (err == nil) {
			t.Errorf("%q: %v", size, err)
		}
	}
}

// passing is a cgroup that a process leaves between two looks at it.
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

// A process id that was read from a cgroup can be somebody else's when the
// signal is sent.
func TestSignalsOnlyWhoIsStillThere(t *testing.T) {
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
		t.Error("a process of the cgroup's was not killed")
	}
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", gone)); err != nil || strings.Contains(string(status), ") Z ") {
		t.Errorf("a stranger was killed: %s, %v", status, err)
	}
}
