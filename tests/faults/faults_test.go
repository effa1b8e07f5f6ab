package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// helper is the argument with which the test binary is a program to trace.
const helper = "helper"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == helper {
		os.Exit(help(os.Args[2], os.Args[3]))
	}
	os.Exit(m.Run())
}

// help is a program: it makes directories a, b and a again, on several threads. With
// "child" it starts itself, with "release" it prints the kernel's release.
func help(what, dir string) int {
	status := 0
	if what == "release" {
		var u unix.Utsname
		err := unix.Uname(&u)
		fmt.Fprintln(os.Stderr, "release", unix.ByteSliceToString(u.Release[:]))
		if err != nil {
			return 1
		}
		return 0
	}
	for _, name := range []string{"a", "b", "a"} {
		done := make(chan error)
		go func() { done <- unix.Mkdirat(unix.AT_FDCWD, filepath.Join(dir, name), 0o755) }()
		if err := <-done; err != nil && !errors.Is(err, unix.EEXIST) {
			fmt.Fprintln(os.Stderr, name, err)
			status = 1
		}
	}
	if what == "child" {
		if out, err := exec.Command(os.Args[0], helper, "alone", filepath.Join(dir, "a")).CombinedOutput(); err != nil {
			fmt.Fprintln(os.Stderr, err, string(out))
			return 2
		}
	}
	return status
}

// traced runs the helper with a fault, and returns its outcome, standard error and the
// directory.
func traced(t *testing.T, what string, f fault) (o outcome, stderr, dir string) {
	t.Helper()
	dir = t.TempDir()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := command{
		args: []string{os.Args[0], helper, what, dir}, timeout: time.Minute,
		files: [3]uintptr{0, file.Fd(), file.Fd()},
	}
	o, err = trace(c, f, [][2]string{{dir, "DIR"}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return o, string(text), dir
}

func pointsOf(calls []*call, name string) (list []string) {
	for _, c := range calls {
		if c.name == name {
			list = append(list, c.point())
		}
	}
	return list
}

func TestPointsAreTheSameInEveryRun(t *testing.T) {
	want := []string{"runtime mkdirat(DIR/a) 1", "runtime mkdirat(DIR/b) 1", "runtime mkdirat(DIR/a) 2"}
	for range 5 {
		rec := &recording{}
		if o, stderr, _ := traced(t, "alone", rec); o.status != 0 {
			t.Fatal(stderr)
		}
		if got := pointsOf(rec.calls, "mkdirat"); !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	}
}

func TestCallsOfGoAreNotCounted(t *testing.T) {
	rec := &recording{}
	traced(t, "child", rec)
	for _, c := range rec.calls {
		if slices.Contains([]string{"futex", "mmap", "rt_sigaction", "call-202"}, c.name) && c.kind == kindRuntime {
			t.Errorf("counted: %s", c.point())
		}
	}
}

func TestProgramsAreNotFollowed(t *testing.T) {
	rec := &recording{}
	o, stderr, dir := traced(t, "child", rec)
	if o.status != 0 {
		t.Fatal(stderr)
	}
	if got := pointsOf(rec.calls, "execve"); len(got) != 1 || !strings.HasPrefix(got[0], "fork execve(") {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "a/b")); err != nil {
		t.Error("the program did not run:", err)
	}
	if got := pointsOf(rec.calls, "mkdirat"); len(got) != 3 {
		t.Errorf("got %q", got)
	}
}

func TestKillBeforeAndAfter(t *testing.T) {
	for after, want := range map[bool]bool{false: false, true: true} {
		k := &killing{point: "runtime mkdirat(DIR/b) 1", after: after}
		o, _, dir := traced(t, "alone", k)
		if !k.reached || !o.status.Signaled() || o.status.Signal() != unix.SIGKILL {
			t.Errorf("after %v: reached %v, status %#x", after, k.reached, o.status)
		}
		if _, err := os.Stat(filepath.Join(dir, "a")); err != nil {
			t.Error("an earlier call:", err)
		}
		if _, err := os.Stat(filepath.Join(dir, "b")); (err == nil) != want {
			t.Errorf("after %v: the call: %v", after, err)
		}
	}
}

func TestKillOfAFork(t *testing.T) {
	rec := &recording{}
	traced(t, "child", rec)
	k := &killing{point: pointsOf(rec.calls, "execve")[0]}
	o, stderr, dir := traced(t, "child", k)
	if !k.reached || o.status.ExitStatus() != 2 {
		t.Errorf("reached %v, status %#x: %s", k.reached, o.status, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "a/b")); err == nil {
		t.Error("the program ran")
	}
}

func TestErrorIsReturnedOnceAndTheCallNotMade(t *testing.T) {
	f := &failing{point: "runtime mkdirat(DIR/a) 1", errno: unix.EMFILE}
	o, stderr, dir := traced(t, "alone", f)
	if o.status.ExitStatus() != 1 || stderr != "a too many open files\n" {
		t.Errorf("status %#x: %q", o.status, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "a")); err != nil {
		t.Error("the second call was not made:", err)
	}
}

func TestMissingCall(t *testing.T) {
	l := &lacking{name: "mkdirat", errno: unix.ENOSYS}
	_, stderr, dir := traced(t, "alone", l)
	if want := strings.Repeat("X function not implemented\n", 3); strings.NewReplacer("a ", "X ", "b ", "X ").Replace(stderr) != want {
		t.Errorf("got %q", stderr)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("made: %v, %v", entries, err)
	}
}

func TestEnvironmentLacksASetOfCallsAndHasARelease(t *testing.T) {
	l := &lackingSet{environment{release: "4.18.0-faults", absent: map[string]unix.Errno{"mkdirat": unix.EACCES}}}
	_, stderr, dir := traced(t, "alone", l)
	if want := "a permission denied\nb permission denied\na permission denied\n"; stderr != want {
		t.Errorf("got %q", stderr)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("made: %v, %v", entries, err)
	}
	if _, stderr, _ := traced(t, "release", l); !strings.HasPrefix(stderr, "release 4.18.0-faults\n") {
		t.Errorf("got %q", stderr)
	}
}

func TestOldKernelsLackWhatCameLater(t *testing.T) {
	for v, want := range map[version]int{418: 14, 504: 5, 510: 1, 512: 0} {
		if got := len(oldKernel(v).absent); got != want {
			t.Errorf("%d: %d calls are absent, want %d", v, got, want)
		}
	}
}

func TestMessagesOfEnvironmentsAreJudged(t *testing.T) {
	e := oldKernel(510)
	for message, good := range map[string]bool{
		"create c: Linux 5.12 or later is required, this is 5.10: mount_setattr is missing": true,
		"create c: Linux 5.12 or later is required, this is 5.10: openat2 is missing":       false,
		"create c: mount_setattr: function not implemented":                                 false,
	} {
		if found := e.judgeMessage(message); (len(found) == 0) != good {
			t.Errorf("%q: %q", message, found)
		}
	}
}

func TestTimeout(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	o, err := trace(command{args: []string{sleep, "1000"}, timeout: 50 * time.Millisecond, files: [3]uintptr{0, 1, 2}}, &recording{}, nil)
	if err != nil || !o.timeout {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestNothingStaysTraced(t *testing.T) {
	// The kernel keeps a tracee stopped as long as its tracer exists.
	var status unix.WaitStatus
	_, _, _ = traced(t, "child", &recording{})
	if pid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WALL, nil); err != unix.ECHILD && pid != 0 {
		t.Errorf("left: %d, %v", pid, err)
	}
}

func TestTasksAreParsed(t *testing.T) {
	seen := map[task]bool{}
	for _, want := range tasks() {
		got, err := parseTask(want.String())
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v", want, got, err)
		}
		if seen[want] {
			t.Errorf("twice: %s", want)
		}
		seen[want] = true
	}
	for _, text := range []string{"", "kills/host/full", "kills/host/full/none", "none/host/full/create", "kills/host/full/create/x"} {
		if _, err := parseTask(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestShareIsChosenByTheSeed(t *testing.T) {
	var list []*trial
	for i := range 100 {
		list = append(list, &trial{name: fmt.Sprint(i)})
	}
	first, again, other := share(list, 10, 1, ""), share(list, 10, 1, ""), share(list, 10, 2, "")
	if len(first) != 10 || !slices.Equal(first, again) || slices.Equal(first, other) {
		t.Error("the share does not depend on the seed alone")
	}
	fewer := slices.DeleteFunc(slices.Clone(list), func(t *trial) bool { return t.name == other[0].name })
	if kept := share(fewer, 10, 2, ""); !slices.Equal(kept[:9], other[1:]) {
		t.Error("one trial less exchanges the others of the share")
	}
	if got := share(list, 0, 1, ""); len(got) != 100 {
		t.Errorf("all are %d", len(got))
	}
	if got := share(list, 0, 1, "77"); len(got) != 1 {
		t.Errorf("with the text: %d", len(got))
	}
}

func TestMessagesAreJudged(t *testing.T) {
	trial := &trial{call: &call{callInfo: callInfo{name: "mkdirat"}, shown: []string{"/sys/fs/cgroup/cpu"}}}
	line := func(level, text string) string { return fmt.Sprintf("time=\"now\" level=%s msg=%q\n", level, text) }
	for text, good := range map[string]bool{
		line("error", "create c: mkdir /x: input/output error"):        true,
		line("error", "create c: cgroup cpu: input/output error"):      true,
		line("warning", "other") + line("error", "mkdirat: no memory"): true,
		line("error", "create c: input/output error"):                  false,
		line("error", "mkdirat") + line("error", "mkdirat"):            false,
		line("error", "mkdirat") + "panic: mkdirat\n":                  false,
		line("warning", "mkdirat"):                                     false,
		"":                                                             false,
	} {
		found := trial.judgeMessage(result{outcome: outcome{status: 1 << 8}, stderr: text})
		if (len(found) == 0) != good {
			t.Errorf("%q: %q", text, found)
		}
	}
}

func TestErrnosThatGoWaitsFor(t *testing.T) {
	for _, test := range []struct {
		name, shown string
		errno       unix.Errno
		want        bool
	}{
		{"read", "pipe:[]", unix.EIO, true},
		{"read", "pipe:[]", unix.EINTR, false},
		{"read", "socket:[]", unix.EAGAIN, true},
		{"connect", "socket:[]", unix.EAGAIN, false},
		{"connect", "socket:[]", unix.EINTR, true},
		{"read", "socket:[]", unix.EINTR, false},
	} {
		c := &call{kind: kindRuntime, callInfo: callInfo{name: test.name}, shown: []string{test.shown}}
		if got := c.cannotReturn(test.errno); got != test.want {
			t.Errorf("%s of %s: %v", unix.ErrnoName(test.errno), c.text(), got)
		}
	}
}

func TestDifferenceOfCensuses(t *testing.T) {
	got := census{"a": true, "b": true}.difference(census{"a": true, "c": true})
	if want := []string{"left: b", "missing: c"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestDifferenceOfViews(t *testing.T) {
	if got, want := compare("a\nb", "a\nc"), []string{"has: b", "lacks: c"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := compare("a\nb", "b\na"); len(got) != 1 {
		t.Errorf("another order: %q", got)
	}
}

func TestWorkNeedsAPidNamespace(t *testing.T) {
	if _, err := newRig("/bin/true", "kills/host/default/create", t.TempDir()); err == nil || !strings.Contains(err.Error(), "faults init") {
		t.Errorf("got %v", err)
	}
}

func TestInitReapsByDefault(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	program := filepath.Join(t.TempDir(), "faults")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	script := `(sh -c 'sleep 0.1' & exit 0); sleep 0.5; grep -c '^State:.*Z' /proc/[0-9]*/status | grep -c ':1$'`
	for _, test := range []struct {
		args []string
		want string
	}{{nil, "0\n"}, {[]string{"--no-reap"}, "1\n"}} {
		args := append(append([]string{"init"}, test.args...), "/bin/sh", "-c", script)
		cmd := exec.Command("unshare", append([]string{"--pid", "--fork", "--mount-proc", program}, args...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
		var out bytes.Buffer
		cmd.Stdout = &out
		_ = cmd.Run() // grep's status
		if out.String() != test.want {
			t.Errorf("%v: %q zombies", test.args, out.String())
		}
	}
}

func TestProofAddsTheSummariesUp(t *testing.T) {
	for summary, line := range map[string]string{
		taskSummary: "4 of 5533 trials, 1 not reached, 2 findings, 3 accepted, 5 succeeded\n",
		raceSummary: "12 races, 20 slices expired, 1 findings\n",
	} {
		p := proof{summary: summary, totals: make([]int, strings.Count(summary, "%d"))}
		p.count("FINDING 4 of 5533\n")
		p.count(line)
		p.count(line)
		var totals []any
		for _, n := range p.totals {
			totals = append(totals, n/2)
		}
		if got := fmt.Sprintf(summary+"\n", totals...); got != line {
			t.Errorf("got half of the totals %q instead of %q", got, line)
		}
	}
}
