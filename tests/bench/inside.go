package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The part that measures. It is process 1 of a pid namespace; see the script "root".

// pause is longer than the kernel remembers that a process was moved between cgroups:
// crun's run takes as long after 30 ms as after 300 ms.
const pause = 60 * time.Millisecond

// candidate is a measured runtime.
type candidate struct {
	Name    string `json:"name"` // with its version
	Kind    string `json:"kind"` // berth, runc, crun, or another name
	Version string `json:"version,omitempty"`

	program   string
	root      string // the state roots begin with it
	boundArgs []string
}

// measured are the results in a view.
type measured struct {
	Candidates []candidate
	Series     []*series
	Values     []value
	Notes      []string
}

// value was measured once.
type value struct {
	Name    string  `json:"name"`
	Runtime string  `json:"runtime"`
	KiB     float64 `json:"kib"`
}

// series are the samples of one measurement and runtime. Those with the same index are
// of the same round.
type series struct {
	Measurement string
	Mode        string // cold or hot
	Runtime     string
	Samples     []sample
	Calls       float64 // system calls, 0 if they were not counted
}

// session measures in a view.
type session struct {
	settings
	only  *regexp.Regexp
	found measured
}

func measureInside() error {
	s, err := loadSession()
	if err != nil {
		return err
	}
	for _, do := range []func() error{
		s.findCandidates, s.addBound, s.inTurn, s.countCalls, s.initMemory, s.smallestLimits, s.lists,
	} {
		if err := do(); err != nil {
			return err
		}
	}
	text, err := json.Marshal(s.found)
	if err != nil {
		return err
	}
	return os.WriteFile("/mnt/measured.json", text, 0o600)
}

func loadSession() (*session, error) {
	text, err := os.ReadFile("/mnt/settings.json")
	if err != nil {
		return nil, err
	}
	s := &session{}
	if err := json.Unmarshal(text, &s.settings); err != nil {
		return nil, err
	}
	s.only, err = regexp.Compile(s.Only)
	return s, err
}

// note prints and keeps something that the reader of the results has to know.
func (s *session) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Println(text)
	s.found.Notes = append(s.found.Notes, text)
}

// findCandidates asks all runtimes for their versions, and leaves out, with a note, those that do
// not run a container here.
func (s *session) findCandidates() error {
	for _, p := range s.Runtimes {
		c, err := newCandidate(p)
		if err != nil {
			return err
		}
		err = s.startTarget(&c)
		if err == nil {
			s.found.Candidates = append(s.found.Candidates, c)
			continue
		}
		if c.Kind == berth {
			return err
		}
		s.note("%s is left out: %v", c.Name, err)
	}
	return nil
}

const berth = "berth"

// newCandidate names Debian's programs by their own output.
func newCandidate(p program) (candidate, error) {
	c := candidate{Name: p.Name, Kind: p.Name, program: "/mnt/bin/" + p.Name, root: "/run/" + p.Name}
	text, err := exec.Command(c.program, "--version").CombinedOutput()
	if err != nil {
		return c, fmt.Errorf("%s --version: %w: %s", p.Name, err, text)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if kind, version, found := strings.Cut(line, " version "); found {
		c.Kind = kind
		c.Version, _, _ = strings.Cut(version, "+") // +ds1
	}
	if c.Kind == berth {
		c.Kind = p.Name // another berth is a kind of its own
	}
	if slices.ContainsFunc(debian, func(own program) bool { return own.Name == p.Name }) {
		c.Name = c.Kind + " " + c.Version
	}
	return c, nil
}

// startTarget starts the container that others are executed in.
func (s *session) startTarget(c *candidate) error {
	_, err := launch(once, c.command(targetRoot, "run", "--detach", "--bundle", bundleDir(sleeping(filepath.Base(c.program))), "target"))
	return err
}

// turn is a measurement of a runtime.
type turn struct {
	c *candidate
	m *measurement
}

// turns are all that this host can do; it notes the others.
func (s *session) turns() []turn {
	var all []turn
	for i := range s.found.Candidates {
		for j := range measurements {
			c, m := &s.found.Candidates[i], &measurements[j]
			if !s.wantsAny(m.parts) || c.Kind == bound && m.parts[0] != runName {
				continue
			}
			if _, err := m.do(c, once); err != nil {
				s.note("%s: no %s: %v", c.Name, m.parts[0], err)
				continue
			}
			all = append(all, turn{c, m})
		}
	}
	return all
}

// inTurn measures in rounds, each in an order of its own: neither other load of the
// machine nor what was measured before favours one.
func (s *session) inTurn() error {
	turns := s.turns()
	for round := range s.Rounds {
		random := rand.New(rand.NewPCG(uint64(round), 0))
		random.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
		var failed error
		turns = slices.DeleteFunc(turns, func(t turn) bool {
			err := s.visit(t.c, t.m)
			if err == nil {
				return false
			}
			if t.c.Kind == berth {
				failed = errors.Join(failed, err)
			}
			s.note("no more than %d rounds of %v", round, err)
			return true
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}

const (
	cold = "cold"
	hot  = "hot"
)

// visit measures twice.
func (s *session) visit(c *candidate, m *measurement) error {
	time.Sleep(pause)
	for _, mode := range []string{cold, hot} {
		samples, err := m.do(c, once)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", c.Name, m.parts[0], err)
		}
		for i, part := range m.parts {
			s.add(part, mode, c, samples[i])
		}
	}
	return nil
}

// countCalls counts system calls: the median of three, as those of threads vary.
func (s *session) countCalls() error {
	for i := range s.found.Candidates {
		for j := range measurements {
			c, m := &s.found.Candidates[i], &measurements[j]
			if !slices.ContainsFunc(m.parts, func(part string) bool { return s.found.series(part, hot, c.Name) != nil }) {
				continue
			}
			counts := make([][]float64, len(m.parts))
			for range 3 {
				samples, err := m.do(c, count)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", c.Name, m.parts[0], err)
				}
				for k := range m.parts {
					counts[k] = append(counts[k], samples[k].Calls)
				}
			}
			for k, part := range m.parts {
				if found := s.found.series(part, hot, c.Name); found != nil {
					found.Calls = median(counts[k])
				}
			}
		}
	}
	return nil
}

// wantsAny reports whether one of these measurements is wanted.
func (s *session) wantsAny(names []string) bool {
	return slices.ContainsFunc(names, s.only.MatchString)
}

// add keeps a sample that is wanted.
func (s *session) add(name, mode string, c *candidate, one sample) {
	if !s.only.MatchString(name) {
		return
	}
	to := s.found.series(name, mode, c.Name)
	if to == nil {
		to = &series{Measurement: name, Mode: mode, Runtime: c.Name}
		s.found.Series = append(s.found.Series, to)
	}
	to.Samples = append(to.Samples, one)
}

func (s *session) addValue(name string, c *candidate, kib float64) {
	s.found.Values = append(s.found.Values, value{name, c.Name, kib})
}

// cleanInside removes the cgroups that an earlier measurement left.
func cleanInside() error {
	s, err := loadSession()
	if err != nil {
		return err
	}
	return cleanCgroups(s.Cgroup)
}

// cleanCgroups removes a cgroup from all hierarchies.
func cleanCgroups(cgroup string) error {
	var dirs []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasSuffix(path, cgroup) {
			dirs = append(dirs, path)
			return fs.SkipDir
		}
		return nil
	})
	for _, dir := range dirs {
		err = errors.Join(err, removeCgroups(dir))
	}
	return err
}

// removeCgroups removes a cgroup with those below. Their processes were killed, but may
// take a moment to disappear.
func removeCgroups(dir string) error {
	var all []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		for tries := 0; ; tries++ {
			if err := unix.Rmdir(all[i]); err == nil {
				break
			} else if tries == 100 {
				return fmt.Errorf("%s: %w", all[i], err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	return nil
}
