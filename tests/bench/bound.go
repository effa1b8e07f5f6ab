package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// The lower bound: tests/bench/c/bound.c, a program for one container.

const bound = "bound"

// addBound adds the lower bound as a candidate, if its container is like berth's.
func (s *session) addBound() error {
	c := candidate{Name: "lower bound", Kind: bound, program: "/mnt/bound", boundArgs: []string{filepath.Join(s.Cgroup, plain)}}
	files, err := filepath.Glob("/sys/fs/cgroup/*/tasks")
	if err != nil {
		return err
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		info, err := os.Lstat(dir)
		if err != nil {
			return err
		}
		if info.Mode()&os.ModeSymlink == 0 { // cpu -> cpu,cpuacct
			c.boundArgs = append(c.boundArgs, dir)
		}
	}
	if err := s.compareBound(&c); err != nil {
		return err
	}
	s.found.Candidates = append(s.found.Candidates, c)
	return nil
}

// compareBound runs the bundle "probe" with berth and with the lower bound. A difference
// means that the lower bound has to follow berth, or the default configuration.
func (s *session) compareBound(c *candidate) error {
	commands := [][]string{
		s.found.Candidates[0].command(workRoot, "run", "--bundle", bundleDir(probe), "bench"),
		append([]string{c.program, "/mnt/bundle/" + probeRoot}, c.boundArgs...),
	}
	var texts []string
	for _, command := range commands {
		if _, err := launch(once, command); err != nil {
			return err
		}
		text, err := os.ReadFile(logFile)
		if err != nil {
			return err
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		return fmt.Errorf("the container of the lower bound differs from berth's:\n%s\nnot:\n%s", texts[1], texts[0])
	}
	return nil
}

// probeTools are the commands of the script.
var probeTools = []string{"awk", "cat", "grep", "head", "hostname", "sh", "sort", "stat", "wc"}

// probeScript prints what the configuration asks for.
const probeScript = `#!/bin/sh
awk '{ print $5, substr($6, 1, 2) }' /proc/self/mountinfo | sort
cd /dev && stat -c '%A %t %T %N' *; cd -
grep -E '^(Cap|NoNewPrivs|Umask|Groups)' /proc/self/status
grep files /proc/self/limits
cat /proc/self/cgroup /sys/class/net/lo/flags
echo "$$ $(hostname) $(pwd) $HOME $PATH"
[ ! -e /sys/fs/cgroup/devices ] || sort /sys/fs/cgroup/devices/devices.list
for device in null zero full random urandom; do
	head -c 1 "/dev/$device" | wc -c
done
`
