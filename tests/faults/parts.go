package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// trial is one run of a command with a fault.
type trial struct {
	name string
	// call is the one that is to fail; nil if it is not one.
	call  *call
	fault fault
	// environment is where the command runs; nil if it is the host.
	environment *environment
	// reached reports whether the fault has happened.
	reached func() bool
	judge   func(*rig, *trial, result) ([]string, error)
}

// partOf are the parts: each makes the trials of the points of a command.
var partOf = map[string]func(calls []*call) []*trial{
	"kills":   kills,
	"errors":  failures,
	"missing": missing,

	"environments": inEnvironments,
}

// kills kills the process before and after each call with an effect.
func kills(calls []*call) []*trial {
	var list []*trial
	for _, c := range calls {
		if !c.hasEffect() {
			continue
		}
		for _, after := range []bool{false, true} {
			if after && c.name == "exit_group" {
				continue // it does not end
			}
			name := "kill before "
			if after {
				name = "kill after "
			}
			f := &killing{point: c.point(), after: after}
			list = append(list, &trial{name: name + c.point(), fault: f, reached: func() bool { return f.reached }, judge: (*rig).judgeKill})
		}
	}
	return list
}

// errnos are the errors of calls.
var errnos = []unix.Errno{unix.EIO, unix.ENOMEM, unix.EINTR, unix.EMFILE, unix.ENOSPC, unix.EAGAIN, unix.EPERM}

// unfailing calls are not made to fail: the kernel has no error for them, or the
// process has none to handle.
var unfailing = []string{"getuid", "geteuid", "getgid", "getegid", "getpid", "umask", "exit_group", "exit", "rt_sigreturn", "setsid"}

func failures(calls []*call) []*trial {
	var list []*trial
	for _, c := range calls {
		if slices.Contains(unfailing, c.name) {
			continue
		}
		for _, errno := range errnos {
			if c.cannotReturn(errno) {
				continue
			}
			f := &failing{point: c.point(), errno: errno}
			name := fmt.Sprintf("%s at %s", unix.ErrnoName(errno), c.point())
			list = append(list, &trial{name: name, call: c, fault: f, reached: func() bool { return f.reached }, judge: (*rig).judgeError})
		}
	}
	return list
}

// streamCalls are those of package net on the socket of the bus.
var streamCalls = []string{"read", "write", "sendmsg"}

// cannotReturn reports whether the call never returns an errno that Go's packages wait for.
func (c *call) cannotReturn(errno unix.Errno) bool {
	if c.kind != kindRuntime || len(c.shown) == 0 {
		return false
	}
	switch c.shown[0] {
	case "pipe:[]":
		// syscall.forkExec reads the result of its child, and waits for the child after an
		// error that a pipe does not have.
		return c.name == "read" && errno != unix.EINTR
	case "socket:[]":
		switch errno {
		case unix.EAGAIN: // the poller waits until a full or empty buffer changes: this one does not
			return slices.Contains(streamCalls, c.name)
		case unix.EINTR: // package net waits for the connection then: only one that blocks is interrupted
			return c.name == "connect"
		}
	}
	return false
}

func missing(calls []*call) []*trial {
	var list []*trial
	done := map[string]bool{}
	for _, c := range calls {
		if done[c.name] || slices.Contains(unfailing, c.name) {
			continue
		}
		done[c.name] = true
		for _, errno := range []unix.Errno{unix.ENOSYS, unix.EPERM} {
			f := &lacking{name: c.name, errno: errno}
			name := fmt.Sprintf("every %s: %s", c.name, unix.ErrnoName(errno))
			list = append(list, &trial{name: name, call: c, fault: f, reached: func() bool { return f.reached }, judge: (*rig).judgeError})
		}
	}
	return list
}

// judgeKill: whatever was killed, "delete --force" removes all.
func (r *rig) judgeKill(_ *trial, res result) ([]string, error) {
	var found []string
	if res.timeout {
		found = append(found, "the command did not end")
	}
	found = append(found, r.judgeImage()...)
	more, err := r.remove()
	return append(found, more...), err
}

// judgeImage: after a killed checkpoint the container runs, or has ended if that was
// asked for; a killed restore keeps the image.
func (r *rig) judgeImage() []string {
	switch r.task.command {
	case "restore":
		if _, err := os.Stat(r.path("image/pstree.img")); err != nil {
			return []string{"the image: " + err.Error()}
		}
	case "save", "checkpoint":
		deadline := time.Now().Add(patient(2 * time.Second))
		for !r.undisturbed() {
			if time.Now().After(deadline) {
				return []string{"the container is " + r.programState()}
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

// undisturbed reports whether the container's program sleeps, or has ended after a
// checkpoint that does not let it run.
func (r *rig) undisturbed() bool {
	state := r.programState()
	return state == "S" || state == "" && r.task.command == "checkpoint"
}

// programState returns the state of the container's program as in proc_pid_stat(5), "traced" if
// CRIU traces it, "" if it does not exist.
func (r *rig) programState() string {
	files, _ := filepath.Glob("/proc/[0-9]*/status") // the pattern is valid
	for _, file := range files {
		text, _ := os.ReadFile(file) // empty if it has ended
		var state, tracer string
		for line := range strings.Lines(string(text)) {
			key, value, _ := strings.Cut(line, ":\t")
			switch key {
			case "State":
				state = value[:1]
			case "TracerPid":
				tracer = strings.TrimSpace(value)
			}
		}
		switch {
		case !strings.HasPrefix(string(text), "Name:\tsh\n"):
		case tracer != "0":
			return "traced"
		default:
			return state
		}
	}
	return ""
}

// remove deletes the container, and compares the census with the one before.
func (r *rig) remove() ([]string, error) {
	var found []string
	res, err := r.call([]string{"delete", "--force", idWord}, nil, patient(10*time.Second))
	if err != nil {
		return nil, err
	}
	if res.failed() {
		found = append(found, "delete --force: "+res.String())
	}
	if res.took > patient(2*time.Second) {
		found = append(found, fmt.Sprint("delete --force takes ", res.took))
	}
	if err := r.restore(); err != nil {
		return nil, err
	}
	left, err := r.left()
	return append(found, left...), err
}

// left returns what is left, or is gone, after the kernel has had time to end it.
func (r *rig) left() ([]string, error) {
	deadline := time.Now().Add(patient(time.Second))
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		r.console.hangUp()
		now, err := r.census()
		if err != nil {
			return nil, err
		}
		d := now.difference(r.calm)
		if len(d) == 0 || time.Now().After(deadline) {
			return d, nil
		}
		time.Sleep(pause)
	}
}

// judgeError: success with the complete protection, or a short message and nothing left.
func (r *rig) judgeError(t *trial, res result) ([]string, error) {
	var found []string
	var err error
	switch {
	case res.timeout:
		found = append(found, "the command did not end")
	case res.failed():
		found = append(found, t.judgeMessage(res)...)
		// Without a call that removes something, only delete --force can remove it.
		// The same if the error is one of the removal at the end of run, or if create says
		// that it could not undo all.
		removing := strings.Contains(res.stderr, `msg="delete `) || strings.Contains(res.stderr, "delete --force removes the rest")
		if r.task.command == "run" && !strings.Contains(res.stderr, `msg="create `) {
			err = r.restore() // the container existed, and its network namespace has ended with its devices
		}
		if len(operations[r.task.command].before) == 0 && r.task.part == "errors" && !removing {
			left, e := r.left()
			for _, line := range left {
				found = append(found, "after the error, "+line)
			}
			err = errors.Join(err, e)
		}
	case r.task.shows():
		found, err = r.judgeView()
	}
	more, e := r.remove()
	return append(found, more...), errors.Join(err, e)
}

// judgeView compares the view of the program with that of a run without a fault.
func (r *rig) judgeView() ([]string, error) {
	if r.task.command == "create" {
		res, err := r.call([]string{"start", idWord}, nil, patient(10*time.Second))
		if err != nil {
			return nil, err
		}
		if res.failed() {
			return []string{"start after a successful create: " + res.String()}, nil
		}
	}
	view, err := r.view()
	if errors.Is(err, os.ErrNotExist) {
		return []string{"success, but the program did not run"}, nil
	}
	if err != nil || r.golden == "" {
		r.golden = view
		return nil, err
	}
	return compare(view, r.golden), nil
}

// errorLine finds the text of an error among the lines of the log.
var errorLine = regexp.MustCompile(`(?m)^time=\S+ level=error msg="(.*)"$`)

// judgeMessage: one line is an error, others are warnings; it names the call or its
// path.
func (t *trial) judgeMessage(res result) []string {
	if res.status.Signaled() {
		return []string{"the runtime was killed by " + res.status.Signal().String()}
	}
	texts := errorLine.FindAllStringSubmatch(res.stderr, -1)
	lines := strings.Count(res.stderr, "\n") - strings.Count(res.stderr, " level=warning ")
	if len(texts) != 1 || lines != 1 {
		return []string{fmt.Sprintf("the message is not one line: %q", res.stderr)}
	}
	if t.environment != nil {
		return t.environment.judgeMessage(texts[0][1])
	}
	if !t.call.namedIn(texts[0][1]) {
		return []string{"the message does not name the call: " + texts[0][1]}
	}
	return nil
}

// otherNames are names of calls in messages: package os has its own.
var otherNames = map[string][]string{
	"newfstatat":   {"stat"},
	"unlinkat":     {"unlink", "remove"},
	"sendto":       {"send", "write", "stub"},
	"sendmsg":      {"send", "write"},
	"recvfrom":     {"recv", "read", "stub", "netlink answer"},
	"recvmsg":      {"recv", "read"},
	"execve":       {"exec"},
	"bind":         {"control"}, // the socket's name
	"clone":        {"execute", "fork/exec"},
	"clone3":       {"clone", "fork"},
	"getdents64":   {"readdirent", "readdir"},
	"memfd_create": {"memfd"},
	"fsconfig":     {"mount"},
	"fsmount":      {"mount"},
	"fsopen":       {"mount"},
	"ppoll":        {"poll"},
	"fchmod":       {"control"},
	"prlimit64":    {"getrlimit", "setrlimit"},
	"pipe2":        {"make process", "execute", "fork/exec"}, // of Go's os.StartProcess
}

// namedIn reports whether a message names the call or the last part of one of its paths.
func (c *call) namedIn(message string) bool {
	// Go reports an error of the fork as one of the call that makes a process.
	if c.kind == kindFork {
		return strings.Contains(message, "make process") || strings.Contains(message, "exec")
	}
	stem := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(c.name, "2"), "at"), "64")
	for _, name := range append(otherNames[c.name], stem, strings.TrimPrefix(stem, "f")) {
		if strings.Contains(message, name) {
			return true
		}
	}
	for _, p := range c.shown {
		if base := path.Base(p); len(base) > 2 && strings.Contains(message, base) {
			return true
		}
	}
	return false
}
