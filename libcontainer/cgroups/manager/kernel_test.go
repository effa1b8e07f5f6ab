package manager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/cgroups/devices"
	"github.com/berth-oci/berth/libcontainer/cgroups/fs2"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// The tests named TestKernel meet the kernel, in cgroups below one that they
// make, on whatever the host has mounted: as root, or as a user to whom systemd
// has delegated a v2 cgroup. TestV2Namespace runs them again in a mount
// namespace that has cgroup v2 alone.

const (
	childEnv = "BERTH_CGROUP_TEST_CHILD"
	v2Env    = "BERTH_CGROUP_TEST_V2"
	limit    = 10 * time.Second
)

func TestMain(m *testing.M) {
	if files, ok := os.LookupEnv(childEnv); ok {
		child(files)
		return
	}
	// The first pipe makes the Go runtime open its poller, for good.
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	before := openFiles()
	code := m.Run()
	if after := openFiles(); code == 0 && after > before {
		fmt.Fprintf(os.Stderr, "%d open files leaked\n", after-before)
		code = 1
	}
	os.Exit(code)
}

func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// child is the process to put into a cgroup: it enters by the tasks files,
// tells so, then does what is asked of it until its standard input ends.
func child(files string) {
	for _, f := range filepath.SplitList(files) {
		// The threads of a Go program are several: all have to go. The real
		// first process of a container has one.
		if err := os.WriteFile(filepath.Dir(f)+"/cgroup.procs", []byte("0"), 0); err != nil {
			fmt.Println("enter:", err)
			os.Exit(1)
		}
	}
	fmt.Println("in")
	var line string
	for {
		if _, err := fmt.Scanln(&line); err != nil {
			os.Exit(0)
		}
		verb, path, _ := strings.Cut(line, ":")
		fmt.Println(childDoes(verb, path))
	}
}

func childDoes(verb, path string) string {
	switch verb {
	case "open":
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return errors.Unwrap(err).Error()
		}
		f.Close()
	case "mknod":
		if err := unix.Mknod(path, unix.S_IFCHR|0o600, int(unix.Mkdev(1, 11))); err != nil {
			return err.Error()
		}
	case "fork":
		if err := exec.Command("sleep", "1000").Start(); err != nil {
			return err.Error()
		}
	case "memory":
		b := make([]byte, 16<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		kept = append(kept, b)
	}
	return "ok"
}

// kept holds the memory that a child was told to use.
var kept [][]byte

type process struct {
	*exec.Cmd
	in   *os.File
	out  *os.File
	err  error         // how it ended
	done chan struct{} // closed when it has
}

// start runs a child in the cgroup and waits until it is there.
func start(t *testing.T, m cgroups.Manager) *process {
	t.Helper()
	e := m.Entry()
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), childEnv+"="+strings.Join(e.Files, ":"))
	c.Stderr = os.Stderr
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stdin, c.Stdout = inR, outW
	if e.Dir != "" {
		dir, err := os.Open(e.Dir)
		if err != nil {
			t.Fatal(err)
		}
		defer dir.Close()
		c.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	inR.Close()
	outW.Close()
	p := &process{Cmd: c, in: inW, out: outR, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.err = c.Wait()
	}()
	t.Cleanup(func() {
		inW.Close()
		outR.Close()
		_ = c.Process.Kill()
		_ = p.wait(t)
	})
	if got := p.answer(t); got != "in" {
		t.Fatalf("child: %s", got)
	}
	return p
}

func (p *process) ask(t *testing.T, what string) string {
	t.Helper()
	fmt.Fprintln(p.in, what)
	return p.answer(t)
}

func (p *process) answer(t *testing.T) string {
	t.Helper()
	_ = p.out.SetReadDeadline(time.Now().Add(limit))
	var line []byte
	for b := make([]byte, 1); ; line = append(line, b[0]) {
		if _, err := p.out.Read(b); err != nil {
			return "answer: " + err.Error()
		}
		if b[0] == '\n' {
			return string(line)
		}
	}
}

// silent reports that the process does not answer, as it is frozen.
func (p *process) silent(t *testing.T) bool {
	t.Helper()
	fmt.Fprintln(p.in, "nothing")
	_ = p.out.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err := p.out.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

func (p *process) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(limit):
		t.Error("the process does not end")
		return nil
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// newManager returns the manager of a cgroup below one of the test's own.
func newManager(t *testing.T) cgroups.Manager {
	t.Helper()
	parent := fmt.Sprintf("berth-cgtest-%d-%s", os.Getpid(), strings.ReplaceAll(t.Name(), "/", "-"))
	if os.Geteuid() == 0 {
		parent = "/" + parent
	}
	m, err := New(Options{CgroupsPath: parent + "/c", ID: "c"})
	if err != nil {
		t.Skipf("no cgroups here: %v", err)
	}
	paths := m.Paths()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		// Only a test that failed has left anything in it.
		_ = cgroups.Kill(m, unix.SIGKILL)
		for _, dir := range paths {
			if err := cgroups.RemoveTree(ctx, filepath.Dir(dir)); err != nil {
				t.Error(err)
			}
		}
	})
	return m
}

func created(t *testing.T) cgroups.Manager {
	t.Helper()
	m := newManager(t)
	create(t, m)
	return m
}

func create(t *testing.T, m cgroups.Manager) {
	t.Helper()
	err := m.Create()
	if errors.Is(err, os.ErrPermission) && os.Geteuid() != 0 {
		t.Skipf("neither root nor with a cgroup of one's own: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func destroy(t *testing.T, m cgroups.Manager) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := m.Destroy(ctx); err != nil {
		t.Error(err)
	}
	for _, dir := range m.Paths() {
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", dir, err)
		}
	}
}

func TestKernelCreateDestroy(t *testing.T) {
	m := newManager(t)
	destroy(t, m) // of what does not exist
	for range 2 { // an empty one is taken over
		create(t, m)
	}
	for c, dir := range m.Paths() {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("%q: %v", c, err)
		}
	}
	if pids, err := m.Processes(); err != nil || len(pids) != 0 {
		t.Errorf("Processes = %v, %v", pids, err)
	}
	for _, dir := range m.Paths() {
		if err := os.MkdirAll(dir+"/sub/sub", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	loaded := Load(m.Paths(), LoadOptions{})
	if !reflect.DeepEqual(loaded.Paths(), m.Paths()) || reflect.TypeOf(loaded) != reflect.TypeOf(m) {
		t.Errorf("loaded %T %v", loaded, loaded.Paths())
	}
	destroy(t, loaded)
	destroy(t, m)
}

func TestKernelEntry(t *testing.T) {
	m := created(t)
	p := start(t, m)
	own, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for _, h := range parseOwn(string(own)) {
		if h.controllers == nil {
			at[""] = h.path
		}
		for _, c := range h.controllers {
			at[c] = h.path
		}
	}
	for c, dir := range m.Paths() {
		if !strings.HasSuffix(dir, at[c]) || at[c] == "/" {
			t.Errorf("controller %q: process in %q, want %q", c, at[c], dir)
		}
	}
	if pids, err := m.Processes(); err != nil || !slices.Equal(pids, []int{p.Process.Pid}) {
		t.Errorf("Processes = %v, %v, want %d", pids, err, p.Process.Pid)
	}
	err = Load(m.Paths(), LoadOptions{}).Create()
	if !errors.Is(err, cgroups.ErrNotEmpty) || !strings.Contains(err.Error(), "cgroup not empty: 1 process") || !strings.Contains(err.Error(), "/berth-cgtest-") {
		t.Errorf("Create over a process: %v", err)
	}
	p.in.Close()
	if err := p.wait(t); err != nil {
		t.Error(err)
	}
	destroy(t, m)
}

func TestKernelDestroyNamesWhatIsBusy(t *testing.T) {
	m := created(t)
	p := start(t, m)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := m.Destroy(ctx)
	if !errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), fmt.Sprintf("1 process: %d ", p.Process.Pid)) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(begin); took > limit {
		t.Errorf("took %v", took)
	}
	// Destroying waits for what is about to end.
	time.AfterFunc(20*time.Millisecond, func() { _ = p.Process.Kill() })
	destroy(t, m)
}

func TestKernelFreeze(t *testing.T) {
	m := created(t)
	p := start(t, m)
	for range 2 {
		if err := m.Freeze(true); err != nil {
			t.Fatal(err)
		}
		if frozen, err := cgroups.Frozen(m); !frozen || err != nil {
			t.Errorf("Frozen = %v, %v", frozen, err)
		}
	}
	if !p.silent(t) {
		t.Error("the process runs though frozen")
	}
	for range 2 {
		if err := m.Freeze(false); err != nil {
			t.Fatal(err)
		}
		if frozen, err := cgroups.Frozen(m); frozen || err != nil {
			t.Errorf("Frozen = %v, %v", frozen, err)
		}
	}
	if got := p.answer(t); got != "ok" {
		t.Errorf("after the thaw: %s", got)
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.wait(t)
	if err := m.Freeze(true); err != nil {
		t.Fatal(err)
	}
	if err := Load(m.Paths(), LoadOptions{}).Create(); !errors.Is(err, cgroups.ErrFrozen) || !strings.Contains(err.Error(), "/berth-cgtest-") {
		t.Errorf("Create of a frozen cgroup: %v", err)
	}
	destroy(t, m)
	if err := m.Freeze(true); !errors.Is(err, unix.ENOENT) {
		t.Errorf("Freeze of nothing: %v", err)
	}
}

func TestKernelKill(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		m := created(t)
		p := start(t, m)
		if got := p.ask(t, "fork"); got != "ok" {
			t.Fatal(got)
		}
		if pids, err := m.Processes(); err != nil || len(pids) != 2 {
			t.Fatalf("Processes = %v, %v", pids, err)
		}
		if err := m.Freeze(frozen); err != nil {
			t.Fatal(err)
		}
		if err := cgroups.Kill(m, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if err := p.wait(t); err == nil || err.Error() != "signal: killed" {
			t.Errorf("process: %v", err)
		}
		destroy(t, m) // waits for the other
		if err := cgroups.Kill(m, unix.SIGKILL); err != nil && !errors.Is(err, unix.ENOENT) {
			t.Errorf("Kill of nothing: %v", err)
		}
	}
}

// A signal to a frozen cgroup is for later, but for SIGKILL.
func TestKernelSignalFrozen(t *testing.T) {
	m := created(t)
	p := start(t, m)
	if err := m.Freeze(true); err != nil {
		t.Fatal(err)
	}
	if err := cgroups.Kill(m, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if frozen, err := cgroups.Frozen(m); !frozen || err != nil {
		t.Errorf("Frozen = %v, %v after a signal", frozen, err)
	}
	if err := m.Freeze(false); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("process: %v", err)
	}
}

// Without cgroup.kill, each process gets the signal.
func TestKernelKillEach(t *testing.T) {
	m := created(t)
	p := start(t, m)
	p.ask(t, "fork")
	if err := cgroups.Kill(m, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("process: %v", err)
	}
	destroy(t, m)
}

func TestKernelDevices(t *testing.T) {
	m := created(t)
	if _, v2 := m.(*fs2.Manager); !v2 && m.Paths()["devices"] == "" {
		t.Skip("no devices controller")
	}
	rules := append([]specs.LinuxDeviceCgroup{{Access: "rwm"}}, devices.Default()...)
	err := m.Set(&specs.LinuxResources{Devices: rules})
	if errors.Is(err, unix.EPERM) && os.Geteuid() != 0 {
		t.Skipf("not root: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, m)
	node := t.TempDir() + "/kmsg"
	for _, c := range []struct{ what, want string }{
		{"open:/dev/null", "ok"},
		{"open:/dev/zero", "ok"},
		{"open:/dev/full", "ok"},
		{"open:/dev/urandom", "ok"},
		{"open:/dev/kmsg", "operation not permitted"},
		{"mknod:" + node, "ok"},
	} {
		if got := p.ask(t, c.what); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	// Other rules take the place of those; nothing is left of them.
	all := []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
	if err := m.Set(&specs.LinuxResources{Devices: all}); err != nil {
		t.Fatal(err)
	}
	if got := p.ask(t, "open:/dev/kmsg"); got != "ok" {
		t.Errorf("/dev/kmsg with everything allowed: %s", got)
	}
	for range 3 {
		if err := m.Set(&specs.LinuxResources{Devices: rules}); err != nil {
			t.Fatal(err)
		}
	}
	if got := p.ask(t, "open:/dev/kmsg"); got != "operation not permitted" {
		t.Errorf("/dev/kmsg after all that: %s", got)
	}
}

func file(t *testing.T, m cgroups.Manager, controller, name string) string {
	t.Helper()
	dir := m.Paths()[controller]
	if dir == "" {
		dir = m.Paths()[""]
	}
	s, err := cgroups.ReadFile(dir, name)
	if err != nil {
		t.Error(err)
	}
	return s
}

func ptr[T any](v T) *T { return &v }

// needV1 skips unless a controller has a v1 hierarchy.
func needV1(t *testing.T, m cgroups.Manager, controller string) {
	t.Helper()
	if m.Paths()[controller] == "" {
		t.Skipf("no v1 controller %q here", controller)
	}
}

func TestKernelMemoryV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "memory")
	if !cgroups.Exists(m.Paths()["memory"], "memory.memsw.limit_in_bytes") {
		t.Skip("no swap accounting")
	}
	const mb = 1 << 20
	for _, c := range [][2]int64{{100, 200}, {300, 400}, {100, 200}, {150, 150}, {100, 100}, {100, 400}, {200, 300}, {-1, 0}, {100, 200}, {-1, -1}} {
		r := &specs.LinuxMemory{Limit: ptr(c[0] * mb), Swap: ptr(c[1] * mb)}
		for _, v := range []*int64{r.Limit, r.Swap} {
			if *v < 0 {
				*v = -1
			}
		}
		if err := m.Set(&specs.LinuxResources{Memory: r}); err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		if c[0] < 0 {
			continue
		}
		for name, want := range map[string]int64{"memory.limit_in_bytes": c[0], "memory.memsw.limit_in_bytes": c[1]} {
			if got := file(t, m, "memory", name); got != fmt.Sprint(want*mb) {
				t.Errorf("%v: %s = %s", c, name, got)
			}
		}
	}
	if err := m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](100 * mb), Swap: ptr[int64](100 * mb)}}); err != nil {
		t.Fatal(err)
	}
	err := m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](200 * mb)}})
	if !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "raise memory.swap too") {
		t.Errorf("above memory and swap: %v", err)
	}
	p := start(t, m)
	if got := p.ask(t, "memory"); got != "ok" {
		t.Fatal(got)
	}
	err = m.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](4 * mb)}})
	if swapless() && (!errors.Is(err, unix.EBUSY) || !strings.Contains(err.Error(), "memory.limit: ") || !strings.Contains(err.Error(), "in use")) {
		t.Errorf("below the usage: %v", err)
	}
	s, err := m.Stats()
	if err != nil || s.Memory.Usage.Usage < 16*mb || s.Memory.Usage.Limit != 100*mb || s.Memory.Usage.Max < s.Memory.Usage.Usage || s.Memory.Raw["rss"] == 0 {
		t.Errorf("statistics %+v, %v", s.Memory.Usage, err)
	}
}

// swapless reports that memory in use can not be pushed out.
func swapless() bool {
	b, _ := os.ReadFile("/proc/swaps")
	return bytes.Count(b, []byte("\n")) <= 1
}

func TestKernelMemorySwitchesV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "memory")
	r := &specs.LinuxMemory{Reservation: ptr[int64](64 << 20), Swappiness: ptr[uint64](7), DisableOOMKiller: ptr(true), UseHierarchy: ptr(true), Kernel: ptr[int64](-1), KernelTCP: ptr[int64](-1)}
	if err := m.Set(&specs.LinuxResources{Memory: r}); err != nil {
		t.Fatal(err)
	}
	if got := file(t, m, "memory", "memory.swappiness"); got != "7" {
		t.Errorf("swappiness %s", got)
	}
	if got := file(t, m, "memory", "memory.oom_control"); !strings.Contains(got, "oom_kill_disable 1") {
		t.Errorf("oom_control %q", got)
	}
}

func TestKernelCPUV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "cpu")
	set := func(c specs.LinuxCPU) error { return m.Set(&specs.LinuxResources{CPU: &c}) }
	for _, c := range []specs.LinuxCPU{
		{Quota: ptr[int64](50000), Period: ptr[uint64](100000), Burst: ptr[uint64](20000)},
		{Quota: ptr[int64](10000), Period: ptr[uint64](20000), Burst: ptr[uint64](5000)},
		{Quota: ptr[int64](500000), Period: ptr[uint64](1000000), Burst: ptr[uint64](400000)},
		{Quota: ptr[int64](10000), Period: ptr[uint64](20000), Burst: ptr[uint64](0)},
	} {
		if err := set(c); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		for name, want := range map[string]any{"cpu.cfs_quota_us": *c.Quota, "cpu.cfs_period_us": *c.Period, "cpu.cfs_burst_us": *c.Burst} {
			if got := file(t, m, "cpu", name); got != fmt.Sprint(want) {
				t.Errorf("%s = %s, want %v", name, got, want)
			}
		}
	}
	if err := set(specs.LinuxCPU{Burst: ptr[uint64](20000)}); !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "more than the quota") {
		t.Errorf("burst above the quota: %v", err)
	}
	if !cgroups.Exists(m.Paths()["cpu"], "cpu.idle") {
		t.Skip("no cpu.idle (Linux 5.15)")
	}
	for _, c := range []specs.LinuxCPU{{Idle: ptr[int64](1), Shares: ptr[uint64](512)}, {Idle: ptr[int64](0), Shares: ptr[uint64](512)}, {Idle: ptr[int64](1)}} {
		if err := set(c); err != nil {
			t.Errorf("idle %d: %v", *c.Idle, err)
		}
	}
	if err := set(specs.LinuxCPU{Shares: ptr[uint64](512)}); !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "set cpu.idle to 0") {
		t.Errorf("shares of an idle cgroup: %v", err)
	}
}

func TestKernelCpusetV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "cpuset")
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		above, err := cgroups.ReadFile(filepath.Dir(filepath.Dir(m.Paths()["cpuset"])), name)
		if got := file(t, m, "cpuset", name); got != above || err != nil {
			t.Errorf("%s = %q, inherited from %q, %v", name, got, above, err)
		}
	}
	if err := m.Set(&specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0", Mems: "0"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		cpus string
		is   error
	}{{"4095", unix.EINVAL}, {"x", unix.EINVAL}, {"4000-4095", unix.EINVAL}} {
		err := m.Set(&specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: c.cpus}})
		if err == nil || !strings.Contains(err.Error(), "cpu.cpus: write") || !strings.Contains(err.Error(), "(") {
			t.Errorf("cpus %q: %v", c.cpus, err)
		}
	}
	s, err := m.Stats()
	if err != nil || !slices.Equal(s.CPUSet.CPUs, []uint16{0}) || s.CPUSet.SchedLoadBalance != 1 || s.CPUSet.SchedRelaxDomainLevel != -1 {
		t.Errorf("statistics %+v, %v", s.CPUSet, err)
	}
}

func TestKernelPidsV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "pids")
	for _, c := range []struct {
		limit int64
		want  string
	}{{5, "5"}, {0, "1"}, {-1, "max"}} {
		err := m.Set(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: &c.limit}})
		if got := file(t, m, "pids", "pids.max"); err != nil || got != c.want {
			t.Errorf("limit %d: %v, %q", c.limit, err, got)
		}
	}
	start(t, m)
	if s, err := m.Stats(); err != nil || s.Pids.Current == 0 || s.Pids.Limit != 0 {
		t.Errorf("statistics %+v, %v", s, err)
	}
}

func TestKernelBlkioV1(t *testing.T) {
	m := created(t)
	needV1(t, m, "blkio")
	disk := blockDevice(t)
	err := m.Set(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
		ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{{LinuxBlockIODevice: disk, Rate: 1 << 20}},
	}})
	if got := file(t, m, "blkio", "blkio.throttle.read_bps_device"); err != nil || got != fmt.Sprintf("%d:%d 1048576", disk.Major, disk.Minor) {
		t.Errorf("%v, %q", err, got)
	}
	err = m.Set(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
		ThrottleReadBpsDevice: []specs.LinuxThrottleDevice{{LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 4095, Minor: 1}, Rate: 1}},
	}})
	if !errors.Is(err, unix.ENODEV) && !errors.Is(err, unix.ENXIO) || !strings.Contains(err.Error(), "blockIO.throttleReadBpsDevice[0]") || !strings.Contains(err.Error(), "no such block device") {
		t.Errorf("no such device: %v", err)
	}
	if cgroups.Exists(m.Paths()["blkio"], "blkio.bfq.weight") {
		if err := m.Set(&specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: ptr[uint16](500)}}); err != nil {
			t.Error(err)
		}
	}
}

func blockDevice(t *testing.T) specs.LinuxBlockIODevice {
	t.Helper()
	disks, _ := filepath.Glob("/sys/block/*/dev")
	for _, d := range disks {
		var disk specs.LinuxBlockIODevice
		if b, err := os.ReadFile(d); err == nil {
			if n, _ := fmt.Sscanf(string(b), "%d:%d", &disk.Major, &disk.Minor); n == 2 {
				return disk
			}
		}
	}
	t.Skip("no block device here")
	return specs.LinuxBlockIODevice{}
}

func TestKernelStats(t *testing.T) {
	m := created(t)
	p := start(t, m)
	p.ask(t, "memory")
	s, err := m.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if s.CPU.Usage.Total == 0 {
		t.Error("no CPU time was used")
	}
	if m.Paths()["cpuacct"] != "" && (len(s.CPU.Usage.PerCPU) == 0 || len(s.CPU.Usage.PerCPUUser) != len(s.CPU.Usage.PerCPU)) {
		t.Errorf("no times of each CPU: %+v", s.CPU.Usage)
	}
	p.in.Close()
	_ = p.wait(t)
	destroy(t, m)
	if _, err := m.Stats(); !errors.Is(err, unix.ENOENT) {
		t.Errorf("Stats of nothing: %v", err)
	}
}

// TestKernelV2 tests the controllers of v2, those that the root has. Which are
// there differs: on a hybrid host hugetlb at most.
func TestKernelV2(t *testing.T) {
	m := created(t)
	v2, ok := m.(*fs2.Manager)
	if !ok {
		t.Skip("not cgroup v2 alone")
	}
	err := v2.Set(&specs.LinuxResources{Unified: map[string]string{"net_cls.classid": "1"}})
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), `controller "net_cls"`) {
		t.Errorf("a controller that does not exist: %v", err)
	}
	if err := v2.Set(&specs.LinuxResources{Unified: map[string]string{"cgroup.max.depth": "3"}}); err != nil || file(t, m, "", "cgroup.max.depth") != "3" {
		t.Errorf("cgroup.max.depth: %v", err)
	}
	has := strings.Fields(enabledAbove(t, m.Paths()[""]))
	const mb = 1 << 20
	for _, c := range []struct {
		controller string
		r          specs.LinuxResources
		want       map[string]string
	}{
		{
			"memory",
			specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](100 * mb), Swap: ptr[int64](300 * mb), Reservation: ptr[int64](mb)}},
			map[string]string{"memory.max": "104857600", "memory.swap.max": "209715200", "memory.low": "1048576"},
		},
		{
			"cpu",
			specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: ptr[uint64](1024), Quota: ptr[int64](5000), Period: ptr[uint64](50000), Burst: ptr[uint64](4000)}},
			map[string]string{"cpu.weight": "100", "cpu.max": "5000 50000", "cpu.max.burst": "4000"},
		},
		{
			"cpu",
			specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: ptr[int64](2000), Burst: ptr[uint64](1000), Idle: ptr[int64](1)}},
			map[string]string{"cpu.max": "2000 50000", "cpu.max.burst": "1000", "cpu.idle": "1"},
		},
		{
			"cpu",
			specs.LinuxResources{CPU: &specs.LinuxCPU{Period: ptr[uint64](20000), Idle: ptr[int64](0), Shares: ptr[uint64](2)}},
			map[string]string{"cpu.max": "2000 20000", "cpu.idle": "0", "cpu.weight": "1"},
		},
		{"cpuset", specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "0", Mems: "0"}}, map[string]string{"cpuset.cpus": "0", "cpuset.mems": "0"}},
		{"pids", specs.LinuxResources{Pids: &specs.LinuxPids{Limit: ptr[int64](20)}}, map[string]string{"pids.max": "20"}},
		{
			"hugetlb",
			specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 4 * mb}}},
			map[string]string{"hugetlb.2MB.max": "4194304", "hugetlb.2MB.rsvd.max": "4194304"},
		},
	} {
		if !slices.Contains(has, c.controller) {
			t.Logf("controller %q is not enabled above, which is not the test's to change", c.controller)
			continue
		}
		if err := m.Set(&c.r); err != nil {
			t.Errorf("%s: %v", c.controller, err)
			continue
		}
		for name, want := range c.want {
			if got := file(t, m, "", name); got != want {
				t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
	}
	start(t, m)
	if s, err := m.Stats(); err != nil {
		t.Error(err)
	} else {
		t.Logf("%+v", s)
	}
}

// enabledAbove lists the controllers that the test's own cgroup can have
// without a change to those above.
func enabledAbove(t *testing.T, dir string) string {
	t.Helper()
	s, err := cgroups.ReadFile(filepath.Dir(dir), "cgroup.controllers")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Who is given a v2 cgroup can make others in it, and no limit of it.
func TestKernelDelegate(t *testing.T) {
	needRoot(t)
	m := created(t)
	dir := m.Paths()[""]
	if dir == "" {
		t.Skip("no cgroup v2 here")
	}
	if err := cgroups.Delegate(m, 65534); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads", "cgroup.max.depth", "cgroup.freeze"} {
		var st unix.Stat_t
		if err := unix.Stat(dir+"/"+name, &st); err != nil {
			t.Error(err)
		}
		if given := !strings.Contains(name, "max") && !strings.Contains(name, "freeze"); given != (st.Uid == 65534) {
			t.Errorf("%s belongs to %d", name, st.Uid)
		}
	}
}

// A process that the kernel lets make nothing gets along without a cgroup, if
// it asked for none in particular.
func TestKernelRootless(t *testing.T) {
	needRoot(t)
	name := fmt.Sprintf("berth-cgtest-%d-rootless", os.Getpid())
	free, err := New(Options{ID: name, Rootless: true})
	if err != nil {
		t.Skipf("no cgroups here: %v", err)
	}
	asked, err := New(Options{CgroupsPath: name, ID: name, Rootless: true})
	if err != nil {
		t.Fatal(err)
	}
	asNobody(t, func() {
		if err := free.Create(); err != nil {
			t.Errorf("Create: %v", err)
		}
		if err := asked.Create(); !errors.Is(err, unix.EACCES) {
			t.Errorf("Create of a path that was asked for: %v", err)
		}
	})
	if paths := free.Paths(); len(paths) != 0 {
		t.Errorf("paths %v", paths)
		_ = free.Destroy(context.Background())
	}
	rules := append([]specs.LinuxDeviceCgroup{{Access: "rwm"}}, devices.Default()...)
	if err := free.Set(&specs.LinuxResources{Devices: rules}); err != nil {
		t.Errorf("Set of devices: %v", err)
	}
	err = free.Set(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: ptr[int64](1 << 30)}})
	if !errors.Is(err, cgroups.ErrNoCgroup) || !errors.Is(err, unix.EACCES) || !strings.Contains(err.Error(), "memory.limit") {
		t.Errorf("Set of a limit: %v", err)
	}
}

// asNobody runs f in a thread that has no right to others' files.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with this
		if _, err := unix.SetfsuidRetUid(65534); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// The root of a hierarchy is spared, even by a manager that is led there.
func TestKernelRootIsSpared(t *testing.T) {
	needRoot(t)
	paths := map[string]string{}
	if kindOf(DefaultRoot) == unix.CGROUP2_SUPER_MAGIC {
		paths[""] = DefaultRoot
	} else {
		for _, c := range []string{"freezer", "pids"} {
			if kindOf(DefaultRoot+"/"+c) == unix.CGROUP_SUPER_MAGIC {
				paths[c] = DefaultRoot + "/" + c
			}
		}
	}
	if len(paths) == 0 {
		t.Skip("no cgroups here")
	}
	m := Load(maps.Clone(paths), LoadOptions{})
	for what, err := range map[string]error{
		"Kill": cgroups.Kill(m, 0), "Destroy": m.Destroy(context.Background()), "Create": Load(paths, LoadOptions{}).Create(),
	} {
		if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "root of the hierarchy") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestV2Namespace runs the tests again where only cgroup v2 is mounted.
func TestV2Namespace(t *testing.T) {
	needRoot(t)
	if os.Getenv(v2Env) != "" {
		t.Skip("this is where they run again")
	}
	if kindOf(DefaultRoot) == unix.CGROUP2_SUPER_MAGIC {
		t.Skip("the host has cgroup v2 alone")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const script = `umount -R -l /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"`
	c := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
		exe, "-test.run=^TestKernel", "-test.v", "-test.count=1")
	c.Env = append(os.Environ(), v2Env+"=1")
	out, err := c.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("in a namespace with cgroup v2: %v", err)
	}
}
