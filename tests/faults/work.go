package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// summary is the result of a task.
type summary struct {
	trials, unreached, findings, accepted, tolerated int
}

// worker runs the trials of a task.
type worker struct {
	*rig
	summary
	ofStub []toleration
	log    func(format string, args ...any)
}

// work runs one task.
func work(args []string) error {
	flags := flag.NewFlagSet("work", flag.ContinueOnError)
	points := flags.Int("points", 0, "how many points are tried; all if 0")
	seed := flags.Uint64("seed", 1, "which")
	only := flags.String("point", "", "only points with this `text`")
	if err := parse(flags, args, 3); err != nil {
		return err
	}
	r, err := newRig(flags.Arg(0), flags.Arg(1), flags.Arg(2))
	if err != nil {
		return err
	}
	w := &worker{rig: r, log: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	if w.ofStub, err = stubTolerations("internal/arch/testdata/tolerated.txt"); err != nil {
		return errors.Join(err, r.close())
	}
	list, err := w.trials()
	if err != nil {
		return errors.Join(err, r.close())
	}
	planned := len(list)
	if r.task.part == "environments" {
		*points = 0 // they are few, and each is another one
	}
	list = share(list, *points, *seed, *only)
	for _, t := range list {
		if err = errors.Join(w.try(t), w.endZombies()); err != nil {
			err = fmt.Errorf("%s: %w", t.name, err)
			break
		}
	}
	w.log(taskSummary,
		w.summary.trials, planned, w.unreached, w.findings, w.accepted, w.tolerated)
	if err == nil && w.findings > 0 {
		err = fmt.Errorf("%d findings", w.findings)
	}
	return errors.Join(err, r.close())
}

// points prints the points of a task.
func points(args []string) error {
	flags := flag.NewFlagSet("points", flag.ContinueOnError)
	if err := parse(flags, args, 3); err != nil {
		return err
	}
	r, err := newRig(flags.Arg(0), flags.Arg(1), flags.Arg(2))
	if err != nil {
		return err
	}
	w := &worker{rig: r, log: func(string, ...any) {}}
	list, err := w.trials()
	for _, t := range list {
		fmt.Println(t.name)
	}
	return errors.Join(err, r.close())
}

// trials runs the command without a fault, and returns the trials of its calls.
func (w *worker) trials() (list []*trial, err error) {
	op := operations[w.task.command]
	program := []string{"/bin/sleep", "1000"}
	switch {
	case w.task.shows() && len(op.before) < 2:
		program = []string{"/bin/faults", "inside"}
		if w.task.bedOf().systemd && (w.task.command != "run" || w.task.config == "full") { // run waits for it otherwise
			program = append(program, stayFlag)
		}
	case w.task.bed == "criu":
		// Not one long sleep, which a checkpoint interrupts with EINTR.
		program = []string{"/bin/sh", "-c", "while :; do sleep 0.05; done"}
	case w.task.command == "run" && w.task.config != "full":
		program = []string{"/bin/true"}
	}
	if err := w.program(program...); err != nil {
		return nil, err
	}
	// Directories that the first run makes are no difference.
	for range 2 {
		if err := w.restore(); err != nil {
			return nil, err
		}
		if w.calm, err = w.census(); err != nil {
			return nil, err
		}
		rec := &recording{}
		res, err := w.once(op, rec)
		if err == nil && (res.failed() || res.timeout) {
			err = errors.New(res.String())
		}
		if err != nil {
			return nil, fmt.Errorf("without a fault: %w", err)
		}
		if found, err := w.settle(); err != nil || len(found) > 0 {
			return nil, errors.Join(err, fmt.Errorf("without a fault: %s", strings.Join(found, "; ")))
		}
		list = partOf[w.task.part](rec.calls)
	}
	return list, nil
}

// settle deletes the container of a run without a fault, and keeps its view.
func (w *worker) settle() (found []string, err error) {
	if w.task.shows() {
		if found, err = w.judgeView(); err != nil {
			return nil, err
		}
	}
	more, err := w.remove()
	return append(found, more...), err
}

// once prepares and runs the command with a fault.
func (w *worker) once(op operation, f fault) (result, error) {
	if err := os.Remove(w.path("out/view")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return result{}, err
	}
	if err := w.restore(); err != nil {
		return result{}, err
	}
	if err := w.must(op.before); err != nil {
		return result{}, err
	}
	return w.call(op.args, f, patient(5*time.Second))
}

// attempts is how often a trial is made until its point is reached: the calls that
// Go repeats after a signal, for example, differ from run to run.
const attempts = 3

// try runs a trial.
func (w *worker) try(t *trial) error {
	w.summary.trials++
	for range attempts {
		res, err := w.once(operations[w.task.command], t.fault)
		if err != nil {
			return err
		}
		found, err := t.judge(w.rig, t, res)
		if err != nil {
			return err
		}
		if t.reached() && !res.failed() {
			found = append(found, w.untolerated(t, res)...)
		}
		if found = w.unaccepted(t, found); len(found) > 0 {
			w.finding(t, res, found)
			return w.clean()
		}
		if t.reached() {
			if !res.failed() {
				w.tolerated++
			}
			return nil
		}
	}
	w.unreached++
	w.log("not reached: %s", t.name)
	return nil
}

func (w *worker) finding(t *trial, res result, found []string) {
	w.findings++
	w.log("FINDING %s %s\n\t%s", w.task, t.name, res)
	for _, line := range found {
		w.log("\t%s", line)
	}
}

// clean removes by force what a finding has left.
func (w *worker) clean() error {
	w.console.hangUp()
	now, err := w.census()
	if err != nil {
		return err
	}
	for _, pid := range now.newProcesses(w.calm) {
		_ = unix.Kill(pid, unix.SIGKILL) // it may have ended
	}
	if _, err := w.call([]string{"delete", "--force", idWord}, nil, patient(10*time.Second)); err != nil {
		return err
	}
	if err := errors.Join(w.stopUnit(), os.RemoveAll(w.path("state"))); err != nil {
		return err
	}
	if err := w.makeState(); err != nil {
		return err
	}
	roots, err := hierarchies()
	for _, root := range roots {
		children, e := filepath.Glob(root + w.cgroup + "/*/")
		err = errors.Join(err, e)
		for _, dir := range children {
			if strings.HasSuffix(dir, commandsCgroup+"/") {
				continue
			}
			err = errors.Join(err, removeCgroup(dir))
		}
	}
	if err != nil {
		return err
	}
	if err := w.restore(); err != nil {
		return err
	}
	w.calm, err = w.census()
	return err
}

// share returns n of the trials, chosen by the seed, all if n is 0; only those with a
// text in their name. The choice depends on the name of each trial alone: a trial more or
// less, as Go's scheduler makes them, does not exchange the others.
func share(list []*trial, n int, seed uint64, text string) []*trial {
	var chosen []*trial
	for _, t := range list {
		if strings.Contains(t.name, text) {
			chosen = append(chosen, t)
		}
	}
	if n == 0 || n >= len(chosen) {
		return chosen
	}
	rank := make(map[*trial]string, len(chosen))
	for _, t := range chosen {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, t.name))
		rank[t] = string(sum[:])
	}
	slices.SortStableFunc(chosen, func(a, b *trial) int { return strings.Compare(rank[a], rank[b]) })
	return chosen[:n]
}
