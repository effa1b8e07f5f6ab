package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// racer runs the races of one contest.
type racer struct {
	*worker
	name    string
	contest contest
	calls   []int // of each rival when it runs alone
	tally   map[string]int
	expired int
	// usual are the warnings of rivals that run alone.
	usual map[string]bool
}

// race runs races of one contest.
func race(args []string) error {
	flags := flag.NewFlagSet("race", flag.ContinueOnError)
	count := flags.Int("count", 10, "how many races are run")
	seed := flags.Uint64("seed", 1, "which")
	bed := flags.String("bed", "host", "the `bed` of this process")
	only := flags.Int("number", -1, "only the race with this `number`")
	if err := parse(flags, args, 3); err != nil {
		return err
	}
	rc, err := newRacer(flags.Arg(0), *bed, flags.Arg(1), flags.Arg(2))
	if err != nil {
		return err
	}
	err = rc.measure()
	for n := 0; err == nil && n < *count; n++ {
		if *only >= 0 && *only != n {
			continue
		}
		if err = rc.try(*seed, n); err != nil {
			err = fmt.Errorf("race %d: %w", n, err)
		}
	}
	for _, line := range rc.outcomes() {
		rc.log("%s", line)
	}
	rc.log(raceSummary, rc.summary.trials, rc.expired, rc.findings)
	if err == nil && rc.findings > 0 {
		err = fmt.Errorf("%d findings", rc.findings)
	}
	return errors.Join(err, rc.close())
}

func newRacer(runtime, bed, name, dir string) (*racer, error) {
	c, ok := contests[name]
	if !ok {
		return nil, fmt.Errorf("no contest %q", name)
	}
	if c.config == "" {
		c.config = "default"
	}
	r, err := newRig(runtime, task{part: "kills", bed: bed, config: c.config, command: "create"}.String(), dir)
	if err != nil {
		return nil, err
	}
	w := &worker{rig: r, log: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	return &racer{worker: w, name: name, contest: c, tally: map[string]int{}, usual: map[string]bool{}}, r.program("/bin/sleep", "1000")
}

// measure runs each rival alone, and counts its calls.
func (rc *racer) measure() (err error) {
	for range 2 { // directories that the first run makes are no difference
		if rc.calm, err = rc.census(); err != nil {
			return err
		}
		rc.calls = nil
		for i := range rc.contest.rivals {
			if err := errors.Join(rc.restore(), rc.must(rc.contest.before)); err != nil {
				return err
			}
			rec := &recording{}
			res := rc.rival(i, rec)
			if res.err != nil || res.timeout {
				return fmt.Errorf("alone: %w: %s", res.err, res)
			}
			rc.calls = append(rc.calls, len(rec.calls))
			if !res.failed() { // else they are errors
				for _, text := range rc.texts(res) {
					rc.usual[text] = true
				}
			}
			if found, err := rc.remove(); err != nil || len(found) > 0 {
				return errors.Join(err, fmt.Errorf("alone: %s", strings.Join(found, "; ")))
			}
		}
	}
	return nil
}

// finish is the result of a rival.
type finish struct {
	result
	stdout string
	err    error
}

// rival runs a rival, with output files of its own.
func (rc *racer) rival(i int, f fault) (res finish) {
	null, err := os.Open("/dev/null")
	if err != nil {
		return finish{err: err}
	}
	defer null.Close()
	var files [2]*os.File
	for n, name := range []string{"stdout", "stderr"} {
		if files[n], err = os.Create(rc.path(fmt.Sprintf("%s.%d", name, i))); err != nil {
			return finish{err: err}
		}
		defer files[n].Close()
	}
	c := command{
		args:  rc.arguments(rc.contest.rivals[i].args),
		files: [3]uintptr{null.Fd(), files[0].Fd(), files[1].Fd()}, timeout: patient(10 * time.Second),
	}
	res.outcome, res.err = trace(c, f, [][2]string{{rc.dir, "DIR"}, {rc.id, "ID"}})
	var texts [2][]byte
	for n, file := range files {
		var err error
		texts[n], err = os.ReadFile(file.Name())
		res.err = errors.Join(res.err, err)
	}
	res.stdout, res.stderr = string(texts[0]), string(texts[1])
	return res
}

// try runs one race and judges it.
func (rc *racer) try(seed uint64, n int) error {
	rc.summary.trials++
	name := fnv.New64()
	_, _ = name.Write([]byte(rc.name)) // never fails
	random := rand.New(rand.NewPCG(seed, name.Sum64()+uint64(n)))
	list := schedule(random, rc.calls)
	if err := errors.Join(rc.restore(), rc.must(rc.contest.before)); err != nil {
		return err
	}
	results, err := rc.run(list)
	if err != nil {
		return err
	}
	found := rc.judge(results)
	more, err := rc.consistent()
	if err != nil {
		return err
	}
	found = append(found, more...)
	if more, err = rc.remove(); err != nil {
		return err
	}
	found = append(found, more...)
	rc.console.hangUp()
	if len(found) == 0 {
		return nil
	}
	rc.findings++
	rc.log("FINDING %s: race %d, schedule %v of %v calls", rc.name, n, list, rc.calls)
	for i, res := range results {
		rc.log("\t%s: %s", rc.contest.rivals[i].args[0], res)
	}
	for _, line := range found {
		rc.log("\t%s", line)
	}
	return rc.clean()
}

// run runs the rivals according to a schedule.
func (rc *racer) run(list []slice) ([]finish, error) {
	rivals := rc.contest.rivals
	g := newGate(list, len(rivals))
	results := make([]finish, len(rivals))
	var all, swift sync.WaitGroup
	for i, r := range rivals {
		if !r.waits {
			swift.Add(1)
		}
		all.Go(func() {
			g.wait(i)
			results[i] = rc.rival(i, held{g, i})
			g.end(i)
			if !r.waits {
				swift.Done()
			}
		})
	}
	swift.Wait()
	var err error
	for _, words := range rc.contest.relief {
		_, e := rc.call(words, nil, patient(10*time.Second)) // it may be refused
		err = errors.Join(err, e)
	}
	all.Wait()
	rc.expired += g.expired
	for _, res := range results {
		err = errors.Join(err, res.err)
	}
	return results, err
}

// messages finds the lines of a log.
var messages = regexp.MustCompile(`(?m)^time=\S+ level=(error|warning) msg=(".*"|\S+)$`)

// texts returns the messages of a rival.
func (rc *racer) texts(res finish) (list []string) {
	for _, m := range messages.FindAllStringSubmatch(res.stderr, -1) {
		text, err := strconv.Unquote(m[2])
		if err != nil {
			text = m[2]
		}
		list = append(list, strings.ReplaceAll(strings.ReplaceAll(text, rc.dir, "DIR"), rc.id, "ID"))
	}
	if strings.Count(res.stderr, "\n") != len(list) {
		list = append(list, fmt.Sprintf("not lines of the log: %q", res.stderr))
	}
	return list
}

// end describes how a rival ended: "ok", or its exit status and messages. Warnings that it
// has without a rival too are left out.
func (rc *racer) end(res finish) string {
	status := "ok"
	switch {
	case res.timeout:
		status = "does not end"
	case res.status.Signaled():
		status = "killed by " + res.status.Signal().String()
	case res.status != 0:
		status = fmt.Sprint("exit ", res.status.ExitStatus())
	}
	texts := slices.DeleteFunc(rc.texts(res), func(text string) bool { return rc.usual[text] })
	if len(texts) == 0 {
		return status
	}
	return status + ": " + strings.Join(texts, "; ")
}

// judge compares the results with those of the table.
func (rc *racer) judge(results []finish) (found []string) {
	var line []string
	wins := 0
	for i, res := range results {
		r, end := rc.contest.rivals[i], rc.end(res)
		line = append(line, r.args[0]+" "+end)
		if end == "ok" || strings.HasPrefix(end, "ok: ") {
			wins++
		}
		if end == "ok" {
			continue
		}
		if !slices.ContainsFunc(r.mays, func(m *regexp.Regexp) bool { return m.MatchString(end) }) {
			found = append(found, fmt.Sprintf("%s: not a documented result: %s", r.args[0], end))
		}
	}
	if wins < rc.contest.wins || rc.contest.exactly && wins > rc.contest.wins {
		found = append(found, fmt.Sprintf("%d commands succeed instead of %d", wins, rc.contest.wins))
	}
	rc.tally[strings.Join(line, ", ")]++
	return found
}

// outcomes returns how often the rivals ended how.
func (rc *racer) outcomes() []string {
	var list []string
	for line, n := range rc.tally {
		list = append(list, fmt.Sprintf("%d times: %s", n, line))
	}
	slices.Sort(list)
	return list
}

// statuses are those of a container that no command is working on.
var statuses = []string{"created", "running", "paused", "stopped"}

// consistent checks that list and state agree after a race.
func (rc *racer) consistent() ([]string, error) {
	res, err := rc.call([]string{"list", "--format", "json"}, nil, patient(10*time.Second))
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(rc.path("stdout"))
	if err != nil {
		return nil, err
	}
	var listed []struct{ ID, Status string }
	if err := json.Unmarshal(text, &listed); err != nil || res.failed() {
		return []string{fmt.Sprintf("list: %s: %q", res, text)}, nil
	}
	state, err := rc.call([]string{"state", idWord}, nil, patient(10*time.Second))
	if err != nil {
		return nil, err
	}
	var found []string
	for _, c := range listed {
		if !slices.Contains(statuses, c.Status) {
			found = append(found, "list: the status is "+c.Status)
		}
	}
	if state.failed() != (len(listed) == 0) {
		found = append(found, fmt.Sprintf("list has %v, but state: %s", listed, state))
	}
	return found, nil
}
