package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// create creates one container, checks it, and deletes it.
func (w *work) create(id string) {
	if err := w.tryCreate(id); err != nil {
		w.violation("%s: %v", id, err)
	}
}

func (w *work) tryCreate(id string) (err error) {
	dir := filepath.Join(w.dir, "bundles", id)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := w.write(dir, w.cgroup+"-"+id); err != nil {
		return err
	}
	pidFile := filepath.Join(dir, "pid")
	args := append([]string{"create", "--bundle", dir, "--pid-file", pidFile}, w.args...)
	failure, err := w.call(dir, append(args, id)...)
	if err != nil {
		return err
	}
	if failure != "" {
		return w.judgeFailure(id, failure)
	}
	pid, err := os.ReadFile(pidFile)
	if err == nil {
		err = w.judgeCreated(dir, id, string(pid))
	}
	failure, e := w.call(dir, "delete", "--force", id)
	if failure != "" {
		e = errors.New("delete: " + failure)
	}
	return errors.Join(err, e)
}

// judgeCreated checks a created container, after adding mounts if the scenario has any.
func (w *work) judgeCreated(dir, id, pid string) error {
	if len(w.added) == 0 {
		w.made.Add(1)
		return w.judge(id, pid)
	}
	text, err := json.Marshal(w.added)
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "mounts.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	failure, err := w.call(dir, "mounts", "add", id, file)
	switch {
	case err != nil:
		return err
	case failure != "":
		w.judgeMessage(id, failure)
		return w.judgeNone(id, pid)
	}
	w.made.Add(1)
	return w.judge(id, pid)
}

// call runs the runtime and returns its standard error if it failed. The output goes to
// a file: a container that stays would hold a pipe open.
func (w *work) call(dir string, args ...string) (failure string, err error) {
	stderr, err := os.CreateTemp(dir, "stderr")
	if err != nil {
		return "", err
	}
	defer stderr.Close()
	cmd := exec.Command(w.runtime, append([]string{"--root", filepath.Join(w.dir, "state")}, args...)...)
	cmd.Stderr = stderr
	err = cmd.Run()
	if err == nil {
		return "", nil
	}
	if !errors.As(err, new(*exec.ExitError)) {
		return "", err
	}
	text, e := os.ReadFile(stderr.Name())
	if e == nil && len(bytes.TrimSpace(text)) == 0 {
		return fmt.Sprintf("nothing said: %v", err), nil
	}
	return string(text), e
}

// place matches the place that an error must name: in config.json, or among the
// defaults.
var place = regexp.MustCompile(`mounts\[\d+\]|linux\.[a-zA-Z]+|process\.[a-zA-Z]+|root\.path|device "|link "|working directory`)

var (
	quoted  = regexp.MustCompile(`'[^']*'`)
	numbers = regexp.MustCompile(`\d+`)
)

// judgeFailure checks the message of a failed create, and that its state is gone.
func (w *work) judgeFailure(id, failure string) error {
	w.judgeMessage(id, failure)
	if _, err := os.Lstat(filepath.Join(w.dir, "state", id)); err == nil {
		return errors.New("a create that has failed leaves its state")
	}
	return nil
}

// judgeMessage checks that a message is one line that names a place.
func (w *work) judgeMessage(id, failure string) {
	failure = strings.TrimSpace(failure)
	if _, msg, ok := strings.Cut(failure, "msg="); ok {
		failure = msg
	}
	reason := strings.ReplaceAll(strings.ReplaceAll(failure, id, "ID"), `\"`, "'")
	w.failed(numbers.ReplaceAllString(quoted.ReplaceAllString(reason, "…"), "N"))
	if strings.Contains(failure, "\n") || !place.MatchString(strings.ReplaceAll(failure, `\"`, `"`)) {
		w.violation("%s: what has failed? %s", id, failure)
	}
}
