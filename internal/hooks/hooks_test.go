package hooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// sh is a hook that runs a shell script.
func sh(script string, args ...string) Command {
	return Command{Path: "/bin/sh", Args: append([]string{"sh", "-c", script, "sh"}, args...)}
}

func TestRunPassesEverythingOn(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	c := sh(`{ pwd; echo "$A $# $1"; cat; } >out`, "x y")
	c.Dir, c.Env, c.Stdin = dir, []string{"A=b", "PATH=" + os.Getenv("PATH")}, []byte(`{"id":"c"}`)
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	real, _ := filepath.EvalSymlinks(dir)
	if want := real + "\nb 1 x y\n" + `{"id":"c"}`; string(got) != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRunWithoutEnvironmentHasOurs(t *testing.T) {
	t.Setenv("HOOK_TEST", "here")
	if err := sh(`test "$HOOK_TEST" = here`).Run(t.Context()); err != nil {
		t.Error(err)
	}
	c := sh(`test -z "$HOOK_TEST"`)
	c.Env = []string{"A=b"}
	if err := c.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRunErrors(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", keep/16)
	for _, test := range []struct{ script, want string }{
		{`exit 3`, `exit status 3`},
		{`echo out; echo err >&2; exit 1`, `exit status 1, stdout: "out\n", stderr: "err\n"`},
		{`kill -KILL $$`, `killed by signal 9 (killed)`},
		{`for i in 1 2 3 4 5 6 7 8 9; do echo -n ` + long + `; done; exit 1`, `exit status 1, stdout: ..."` + long + `"`},
	} {
		if err := sh(test.script).Run(t.Context()); err == nil || err.Error() != test.want {
			t.Errorf("%.40s: %v, want %s", test.script, err, test.want)
		}
	}
	missing := Command{Path: "/nonexistent/hook"}.Run(t.Context())
	if !errors.Is(missing, unix.ENOENT) || missing.Error() != `execute "/nonexistent/hook": no such file or directory` {
		t.Errorf("missing: %v", missing)
	}
}

func TestLargeStateAndLargeOutput(t *testing.T) {
	big := []byte(strings.Repeat("x", 1<<20))
	for _, script := range []string{
		`test $(wc -c) = 1048576`,
		`true`,                      // reads nothing
		`head -c 10 >/dev/null`,     // reads a little
		`cat; exit 0`,               // prints all of it
		`exec <&-; sleep 0.1`,       // closes it
		`head -c 3000000 /dev/zero`, // prints much
	} {
		c := sh(script)
		c.Stdin = big
		if err := c.Run(t.Context()); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	}
}

// TestDaemon runs a hook that leaves a process with the pipes open.
func TestDaemon(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	c := sh(`sleep 1000 & echo $! >"$1"`, file)
	c.Timeout = 10 * time.Minute
	begin := time.Now()
	if err := c.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("waited %s for a daemon", took)
	}
	for _, pid := range pids(t, file) {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Errorf("the daemon: %v", err)
		}
	}
}

// forest starts processes in the group, in a session of its own and in a
// descendant of that session, and does not end.
const forest = `sleep 1001 & echo $! >>"$1"
	setsid sh -c 'sleep 1002 & echo $! >>"$1"; echo $$ >>"$1"; wait' sh "$1" &
	(setsid sleep 1003 & echo $! >>"$1"; wait) &
	echo $$ >>"$1"
	wait`

func TestTimeoutEndsAllProcesses(t *testing.T) {
	// Repeat with a longer timeout until the script had time to start all
	// processes.
	for timeout := 250 * time.Millisecond; ; timeout *= 2 {
		file := filepath.Join(t.TempDir(), "pids")
		c := sh(forest, file)
		c.Timeout = timeout
		err := c.Run(t.Context())
		if err == nil || err.Error() != fmt.Sprintf("timed out after %s and was killed", timeout) {
			t.Fatal(err)
		}
		started, _ := os.ReadFile(file)
		if strings.Count(string(started), "\n") < 5 && timeout < time.Minute {
			continue
		}
		noneLeft(t, file)
		return
	}
}

func TestContextEndsAllProcesses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ctx.Err() == nil {
			if b, _ := os.ReadFile(file); strings.Count(string(b), "\n") == 5 {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	if err := sh(forest, file).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	noneLeft(t, file)
}

// pids reads process ids from a file.
func pids(t *testing.T, file string) []int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []int
	for _, word := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, pid)
	}
	return list
}

// noneLeft waits until the processes listed in a file have ended.
func noneLeft(t *testing.T, file string) {
	t.Helper()
	list := pids(t, file)
	if len(list) != 5 {
		t.Fatalf("only %v had been started", list)
	}
	for _, pid := range list {
		deadline := time.Now().Add(time.Minute)
		for alive(pid) {
			if time.Now().After(deadline) {
				t.Errorf("process %d is left", pid)
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z")
}

func TestNoDescriptorIsLeft(t *testing.T) {
	count := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := sh("true").Run(ctx); err != nil { // opens the descriptors of Go's runtime
		t.Fatal(err)
	}
	before := count()
	for _, c := range []Command{sh("cat"), sh("exit 1"), {Path: "/nonexistent"}} {
		c.Run(ctx) //nolint:errcheck // only descriptors matter here
	}
	if after := count(); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// full is a writer that fails.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, unix.ENOSPC }

func TestCopies(t *testing.T) {
	var out, err strings.Builder
	c := sh(`echo out; echo err >&2; echo more`)
	c.Copies = [2]io.Writer{&out, &err}
	if e := c.Run(t.Context()); e != nil {
		t.Fatal(e)
	}
	if out.String() != "out\nmore\n" || err.String() != "err\n" {
		t.Errorf("got %q and %q", out.String(), err.String())
	}
	// More output than an error keeps.
	out.Reset()
	c = sh(`i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; exit 1`)
	c.Copies[0] = &out
	if e := c.Run(t.Context()); e == nil || len(out.String()) != 10+90*2+900*3+2000*4+3000 {
		t.Errorf("%d bytes, %v", len(out.String()), e)
	}
	c = sh(`echo out`)
	c.Copies[0] = full{}
	if e := c.Run(t.Context()); !errors.Is(e, unix.ENOSPC) {
		t.Errorf("a copy that cannot be written: %v", e)
	}
}
