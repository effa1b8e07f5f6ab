package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Memory of the container's init, and the smallest limit that suffices.

const (
	initRSS       = "memory of init"
	initPrivate   = "private memory of init"
	smallestLimit = "smallest memory limit of run"
)

// initMemory reads the memory of the init of a container that waits for start.
func (s *session) initMemory() error {
	if !s.wantsAny([]string{initRSS, initPrivate}) {
		return nil
	}
	for i := range s.found.Candidates {
		c := &s.found.Candidates[i]
		if c.Kind == bound {
			continue
		}
		if _, err := launch(once, c.create(workRoot, numbered(0), "0")); err != nil {
			return err
		}
		pid, err := readPid("0")
		if err != nil {
			return err
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			return err
		}
		rss, private, err := parseSmaps(string(text))
		if err != nil {
			return err
		}
		s.addValue(initRSS, c, rss)
		s.addValue(initPrivate, c, private)
		if err := c.deleteAll(workRoot, 1); err != nil {
			return err
		}
	}
	return nil
}

// parseSmaps returns the resident and the private memory, in KiB.
func parseSmaps(text string) (rss, private float64, err error) {
	found := 0
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		var to *float64
		switch key {
		case "Rss":
			to = &rss
		case "Private_Clean", "Private_Dirty":
			to = &private
		default:
			continue
		}
		var n float64
		if _, err := fmt.Sscan(value, &n); err != nil {
			return 0, 0, fmt.Errorf("smaps_rollup: %q: %w", line, err)
		}
		*to += n
		found++
	}
	if found != 3 {
		return 0, 0, fmt.Errorf("smaps_rollup: %q: want Rss and two kinds of private memory", text)
	}
	return rss, private, nil
}

// Limits are tried in steps, and up to the largest.
const (
	limitStep = 128 << 10
	mostSteps = 512
)

// smallestLimits finds the smallest memory limit with which "run" works twice.
func (s *session) smallestLimits() error {
	if !s.wantsAny([]string{smallestLimit}) {
		return nil
	}
	if !memoryController() {
		s.note("no %s: this view has no memory controller", smallestLimit)
		return nil
	}
	for i := range s.found.Candidates {
		c := &s.found.Candidates[i]
		if c.Kind == bound {
			continue
		}
		steps, err := smallest(mostSteps, func(steps int) (bool, error) { return s.runsWith(c, steps*limitStep) })
		if err != nil {
			return err
		}
		if steps == 0 {
			s.note("%s: no %s up to %d MiB", c.Name, smallestLimit, mostSteps*limitStep>>20)
			continue
		}
		s.addValue(smallestLimit, c, float64(steps*limitStep>>10))
	}
	return nil
}

// memoryController reports whether containers can have a memory limit.
func memoryController() bool {
	if _, err := os.Stat("/sys/fs/cgroup/memory/tasks"); err == nil {
		return true
	}
	text, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers")
	return err == nil && strings.Contains(" "+strings.TrimSpace(string(text))+" ", " memory ")
}

// smallest returns the smallest number from 1 to most that works, 0 if none does. Every
// number above must work, too.
func smallest(most int, works func(int) (bool, error)) (int, error) {
	below, found := 0, 0
	for n := 1; found == 0; n *= 2 {
		if n > most {
			return 0, nil
		}
		ok, err := works(n)
		if err != nil {
			return 0, err
		}
		if ok {
			found = n
		} else {
			below = n
		}
	}
	for found-below > 1 {
		middle := (below + found) / 2
		ok, err := works(middle)
		if err != nil {
			return 0, err
		}
		if ok {
			found = middle
		} else {
			below = middle
		}
	}
	return found, nil
}

// runsWith reports whether "run" succeeds twice with a memory limit.
func (s *session) runsWith(c *candidate, limit int) (bool, error) {
	const name = "limited"
	text, err := os.ReadFile(filepath.Join(bundleDir(plain), "config.json"))
	if err != nil {
		return false, err
	}
	var limited config
	if err := json.Unmarshal(text, &limited); err != nil {
		return false, err
	}
	resources := limited.linux()["resources"].(map[string]any)
	resources["memory"] = map[string]any{"limit": limit}
	limited.linux()["cgroupsPath"] = filepath.Join(s.Cgroup, name)
	if text, err = json.Marshal(limited); err != nil {
		return false, err
	}
	if err := os.Mkdir(bundleDir(name), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return false, err
	}
	if err := os.WriteFile(filepath.Join(bundleDir(name), "config.json"), text, 0o644); err != nil {
		return false, err
	}
	for range 2 {
		// A runtime may wait for a process that the kernel has killed.
		command := append([]string{"/usr/bin/timeout", "-s", "KILL", "10"}, c.command(workRoot, "run", "--bundle", bundleDir(name), name)...)
		_, err := launch(once, command)
		if failed := (*commandError)(nil); errors.As(err, &failed) {
			// Fails if nothing is left.
			_, err := launch(once, c.command(workRoot, "delete", "--force", name))
			if failed := (*commandError)(nil); err != nil && !errors.As(err, &failed) {
				return false, err
			}
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
