package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Lists of many containers, and whether it takes longer to create one where there are
// many. All of them wait for start.

// few is the number of creates that are compared: the first and the last of the many.
const few = 20

const (
	list100   = "list of 100"
	list1000  = "list of 1000"
	firstMany = "create, first 20 of 1000"
	lastMany  = "create, last 20 of 1000"
)

// manyNames are the measurements, after the others in tables.
var manyNames = []string{list100, list1000, firstMany, lastMany}

// lists measures the newest runtime of each kind, as a thousand containers take a minute
// or two. The containers of one must not slow another down.
func (s *session) lists() error {
	if !s.wantsAny(manyNames) {
		return nil
	}
	for i := range s.found.Candidates {
		c := &s.found.Candidates[i]
		if c.Kind == bound || newest(s.found.Candidates, c.Kind) != c {
			continue
		}
		err := s.listsOf(c)
		if err != nil {
			s.note("%s: no lists: %v", c.Name, err)
		}
		if err := s.removeMany(c); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) listsOf(c *candidate) error {
	for i := range few {
		if err := s.createOne(c, i, firstMany); err != nil {
			return err
		}
	}
	if err := c.createRange(few, 100); err != nil {
		return err
	}
	if err := s.list(c, list100); err != nil {
		return err
	}
	if err := c.createRange(100, many-few); err != nil {
		return err
	}
	for i := many - few; i < many; i++ {
		if err := s.createOne(c, i, lastMany); err != nil {
			return err
		}
	}
	return s.list(c, list1000)
}

func (c *candidate) createNumbered(i int) []string {
	return c.create(manyRoot, numbered(i), strconv.Itoa(i))
}

func (s *session) createOne(c *candidate, i int, name string) error {
	created, err := launch(once, c.createNumbered(i))
	if err != nil {
		return err
	}
	s.add(name, hot, c, created[0])
	return nil
}

// createRange creates several at once; their time does not matter.
func (c *candidate) createRange(from, to int) error {
	for from < to {
		var commands [][]string
		for ; from < to && len(commands) < 8; from++ {
			commands = append(commands, c.createNumbered(from))
		}
		if _, err := launch(atOnce, commands...); err != nil {
			return err
		}
	}
	return nil
}

// list takes a fifth of the rounds: no runtime is compared with another here.
func (s *session) list(c *candidate, name string) error {
	m := measurement{[]string{name}, single(manyRoot, "list")}
	for range max(s.Rounds/5, 3) {
		if err := s.visit(c, &m); err != nil {
			return err
		}
	}
	return nil
}

// removeMany removes the containers without the runtime: runc takes 0.1 s for each.
func (s *session) removeMany(c *candidate) error {
	for i := range many {
		pid, err := readPid(strconv.Itoa(i))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			return fmt.Errorf("kill init %d: %w", pid, err)
		}
		if _, err := reap(pid); err != nil {
			return err
		}
		if err := os.Remove(pidFile(strconv.Itoa(i))); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(c.root + manyRoot); err != nil {
		return err
	}
	return cleanCgroups(filepath.Join(s.Cgroup, "many"))
}
