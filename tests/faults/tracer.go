package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// kind is a kind of process.
type kind string

const (
	kindRuntime kind = "runtime"
	kindFork    kind = "fork" // of the runtime, before its execve
	kindStub    kind = "stub"
	kindBefore  kind = "before" // the program that becomes the runtime, as another user
)

// fault is what happens at a call. Its methods are called with each counted call.
type fault interface {
	// enter returns what to do at the entry of a call.
	enter(c *call) action
	// leave returns what to do at its end; an errno is not possible there.
	leave(c *call) action
}

// action is what the tracer does at a call: nothing if it is zero.
type action struct {
	kill  bool
	errno unix.Errno // of the call, which is not performed
	// release replaces the one that uname has returned.
	release string
}

// tracer runs a command and follows the calls of its processes.
type tracer struct {
	command command
	fault   fault
	replace [][2]string // of paths

	root    int             // process ID of the command
	kinds   map[int]kind    // by process ID
	threads map[int]*thread // by thread ID
	early   map[int]bool    // threads that stopped before their parent reported them
	seen    map[string]int  // occurrences by text
	counted bool            // the runtime's calls are counted from now on
}

// thread is a thread that is traced.
type thread struct {
	process int
	inside  bool  // a call
	call    *call // the counted call that it is inside
	errno   unix.Errno
	fresh   bool // its first stop is a SIGSTOP of the kernel
}

// outcome is how a command ended.
type outcome struct {
	status  unix.WaitStatus
	took    time.Duration
	timeout bool
}

// command is a command to run.
type command struct {
	args    []string
	files   [3]uintptr
	timeout time.Duration
	user    *user // root if nil
	// around is a command that executes args.
	around []string
}

// trace runs a command. Processes that are left are detached and run on.
func trace(c command, f fault, replace [][2]string) (outcome, error) {
	t := &tracer{
		command: c, fault: f, replace: replace, kinds: map[int]kind{}, threads: map[int]*thread{}, early: map[int]bool{},
		seen: map[string]int{},
	}
	var o outcome
	done := make(chan error)
	go func() {
		// The thread ends with the goroutine, which detaches what it traces.
		runtime.LockOSThread()
		var err error
		o, err = t.run(c)
		done <- err
	}()
	err := <-done
	return o, err
}

const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC

func (t *tracer) run(c command) (o outcome, err error) {
	start := time.Now()
	if t.root, err = c.start(true); err != nil {
		return o, err
	}
	var status unix.WaitStatus
	if _, err := wait4(t.root, &status); err != nil {
		return o, err
	}
	if err := unix.PtraceSetOptions(t.root, options); err != nil {
		return o, fmt.Errorf("ptrace(SETOPTIONS): %w", err)
	}
	t.kinds[t.root] = kindRuntime
	if c.user != nil || len(c.around) > 0 {
		t.kinds[t.root] = kindBefore
	}
	t.threads[t.root] = &thread{process: t.root}
	var late atomic.Bool
	timer := time.AfterFunc(c.timeout, func() {
		late.Store(true)
		_ = unix.Kill(t.root, unix.SIGKILL) // it may have ended
	})
	defer timer.Stop()
	if err := proceed(t.root, 0); err != nil {
		return o, err
	}
	o.status, err = t.follow()
	o.took, o.timeout = time.Since(start), late.Load()
	return o, err
}

// wait4 waits for a process of this thread; -1 is any.
func wait4(pid int, status *unix.WaitStatus) (int, error) {
	for {
		got, err := unix.Wait4(pid, status, unix.WALL|unix.WNOTHREAD, nil)
		if !errors.Is(err, unix.EINTR) {
			return got, os.NewSyscallError("wait4", err)
		}
	}
}

// proceed resumes a thread until its next call. A thread that was killed meanwhile is no
// error.
func proceed(tid, signal int) error {
	for {
		err := unix.PtraceSyscall(tid, signal)
		if errors.Is(err, unix.ESRCH) && thawed(tid) {
			continue
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("ptrace(SYSCALL): %w", err)
		}
		return nil
	}
}

// follow handles the stops of all threads until the command ends.
func (t *tracer) follow() (unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		tid, err := wait4(-1, &status)
		if err != nil {
			return 0, err
		}
		if status.Exited() || status.Signaled() {
			delete(t.threads, tid)
			if tid == t.root {
				return status, nil
			}
			continue
		}
		err = t.stopped(tid, status)
		if errors.Is(err, unix.ESRCH) && thawed(tid) {
			err = proceed(tid, 0)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return 0, err
		}
	}
}

// stopped handles a stop and resumes the thread.
func (t *tracer) stopped(tid int, status unix.WaitStatus) error {
	th := t.threads[tid]
	signal := status.StopSignal()
	switch {
	case th == nil:
		t.early[tid] = true
		return nil
	case signal == unix.SIGTRAP|0x80:
		return t.atCall(tid, th)
	case signal == unix.SIGTRAP && status.TrapCause() > 0:
		return t.event(tid, th, status.TrapCause())
	case signal == unix.SIGSTOP && th.fresh:
		th.fresh = false
		return proceed(tid, 0)
	}
	return proceed(tid, int(signal))
}

// event handles a new thread or process, or an execve.
func (t *tracer) event(tid int, th *thread, cause int) error {
	if cause == unix.PTRACE_EVENT_EXEC {
		return t.executed(tid, th)
	}
	child, err := unix.PtraceGetEventMsg(tid)
	if err != nil {
		return err
	}
	if err := t.adopt(int(child), th); err != nil {
		return err
	}
	return proceed(tid, 0)
}

// adopt records a new thread, and resumes it if it has stopped already.
func (t *tracer) adopt(tid int, parent *thread) error {
	process := threadGroup(tid)
	if process == 0 {
		return nil // killed already
	}
	if _, known := t.kinds[process]; !known {
		t.kinds[process] = t.kinds[parent.process]
		if t.kinds[process] == kindRuntime {
			t.kinds[process] = kindFork
		}
	}
	t.threads[tid] = &thread{process: process, fresh: true}
	if t.early[tid] {
		delete(t.early, tid)
		t.threads[tid].fresh = false
		return proceed(tid, 0)
	}
	return nil
}

// threadGroup returns the process of a thread, 0 if it is gone.
func threadGroup(tid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid)) // empty if it is gone
	var id int
	_, after, _ := strings.Cut(string(text), "\nTgid:\t")
	_, _ = fmt.Sscan(after, &id) // 0 stays
	return id
}

// executed handles an execve: a program that is neither the runtime nor a stub is not
// followed.
func (t *tracer) executed(tid int, th *thread) error {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", tid))
	if err != nil {
		return proceed(tid, 0) // killed meanwhile
	}
	switch {
	case strings.Contains(exe, "berth-stub"):
		t.kinds[th.process] = kindStub
		return proceed(tid, 0)
	case t.kinds[th.process] == kindBefore && exe != t.command.args[0]:
		return proceed(tid, 0) // another program before it
	case t.kinds[th.process] == kindBefore:
		t.kinds[th.process] = kindRuntime
		return proceed(tid, 0)
	}
	delete(t.threads, tid)
	delete(t.kinds, th.process)
	return unix.PtraceDetach(tid)
}

// atCall handles the entry and the end of a call.
func (t *tracer) atCall(tid int, th *thread) error {
	var todo action
	th.inside = !th.inside
	switch {
	case th.inside:
		c, err := t.enter(tid, th)
		if err != nil {
			return err
		}
		if th.call = c; c != nil {
			todo = t.fault.enter(c)
		}
		// The kernel releases the descriptor even if close reports an error.
		if th.errno = todo.errno; th.errno != 0 && c.name != "close" {
			if err := skipCall(tid); err != nil {
				return err
			}
		}
	case th.errno != 0:
		if err := setResult(tid, th.errno); err != nil {
			return err
		}
		th.errno = 0
	case th.call != nil:
		todo = t.fault.leave(th.call)
	}
	if todo.release != "" {
		if err := setRelease(tid, th.call.args[0], todo.release); err != nil {
			return err
		}
	}
	if todo.kill {
		if err := unix.Kill(th.process, unix.SIGKILL); err != nil {
			return fmt.Errorf("kill: %w", err)
		}
	}
	return proceed(tid, 0)
}

// setRelease writes the third field of struct utsname: each has 65 bytes.
func setRelease(tid int, at uint64, release string) error {
	text := append([]byte(release), 0)
	const field = 2 * 65
	_, err := unix.ProcessVMWritev(tid, []unix.Iovec{{Base: &text[0], Len: uint64(len(text))}},
		[]unix.RemoteIovec{{Base: uintptr(at + field), Len: len(text)}}, 0)
	return os.NewSyscallError("process_vm_writev", err)
}

// polled are calls that the runtime repeats until a process is in some state, or that the
// kernel restarts until it has a lock. How often differs from run to run: two of each are
// counted.
var polled = map[string]bool{
	"runtime openat(/proc/PID/stat, 0x80000)": true,
	"runtime read(/proc/PID/stat)":            true,
	"runtime fstat(/proc/PID/stat)":           true,
	"runtime close(/proc/PID/stat)":           true,
	"runtime pidfd_send_signal(0x0)":          true,
	"stub write(/sys/net/ipv4/ip_forward)":    true,
}

// enter returns the call that a thread enters if it counts.
func (t *tracer) enter(tid int, th *thread) (*call, error) {
	number, args, err := registers(tid)
	if err != nil {
		return nil, err
	}
	k := t.kinds[th.process]
	switch k {
	case kindBefore:
		return nil, nil
	case kindRuntime, kindFork:
		if !t.counted {
			t.counted = number == unix.SYS_PRLIMIT64
			return nil, nil
		}
		if ofGo(number, args) {
			return nil, nil
		}
	}
	c := t.describe(tid, k, number, args)
	// The poller's own.
	if k == kindRuntime && len(c.shown) > 0 && strings.HasPrefix(c.shown[0], "anon_inode:[event") {
		return nil, nil
	}
	t.seen[c.text()]++
	c.nth = t.seen[c.text()]
	if c.nth > 2 && polled[c.text()] {
		return nil, nil
	}
	return c, nil
}
