package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// census is what exists: a line for each process, mount, cgroup, file of the state root,
// key, namespace of processes, network device, unit of systemd and descriptor of this process.
type census map[string]bool

func (r *rig) census() (census, error) {
	c := census{}
	for _, count := range []func(census) error{
		r.processes, mounts, r.cgroups, r.files, r.keys, descriptors, countDevices, r.units,
	} {
		if err := count(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// difference returns what two censuses do not share.
func (c census) difference(before census) []string {
	var d []string
	for line := range c {
		if !before[line] {
			d = append(d, "left: "+line)
		}
	}
	for line := range before {
		if !c[line] {
			d = append(d, "missing: "+line)
		}
	}
	slices.Sort(d)
	return d
}

// newProcesses returns the processes of a census that did not exist before.
func (c census) newProcesses(before census) (pids []int) {
	known := map[int]bool{}
	for line := range before {
		known[processOf(line)] = true
	}
	for line := range c {
		if pid := processOf(line); pid != 0 && !known[pid] {
			pids = append(pids, pid)
		}
	}
	return pids
}

// processOf returns the process that a line is about, 0 if it is about something else.
func processOf(line string) (pid int) {
	_, _ = fmt.Sscanf(line, "process %d (", &pid) // 0 stays
	return pid
}

// Flags in proc_pid_stat(5).
const (
	exiting      = 0x4      // PF_EXITING
	kernelThread = 0x200000 // PF_KTHREAD
)

func hasFlag(flags string, flag int) bool {
	n, err := strconv.Atoi(flags)
	return err == nil && n&flag != 0
}

// processes counts those of the pid namespace, and the network namespaces they are in.
// An init that does not reap leaves zombies. The init of a container cannot end while a
// zombie is in its pid namespace (zap_pid_ns_processes in the kernel).
func (r *rig) processes(c census) error {
	entries, err := os.ReadDir("/proc")
	for _, e := range entries {
		pid, notProcess := strconv.Atoi(e.Name())
		if notProcess != nil || pid == os.Getpid() || r.foreign(pid) {
			continue
		}
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // ended
		}
		name, rest, _ := strings.Cut(string(stat), ") ")
		f := strings.Fields(rest)
		if hasFlag(f[6], kernelThread) || r.task.noReap && (f[0] == "Z" && f[1] == "1" || hasFlag(f[6], exiting)) {
			continue
		}
		c[fmt.Sprintf("process %s) %s", name, f[0])] = pid != 1
		net, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err == nil {
			c["network namespace "+net] = true
		}
	}
	for line, counts := range c {
		if !counts {
			delete(c, line)
		}
	}
	return err
}

// endZombies lets an init that does not reap reap what a trial has left.
func (r *rig) endZombies() error {
	if !r.task.noReap {
		return nil
	}
	deadline := time.Now().Add(patient(5 * time.Second))
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		if err := unix.Kill(1, unix.SIGUSR1); err != nil {
			return err
		}
		zombies, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			return err
		}
		zombies = slices.DeleteFunc(zombies, func(dir string) bool {
			stat, err := os.ReadFile(dir + "/stat")
			_, rest, _ := strings.Cut(string(stat), ") ")
			return err != nil || !strings.HasPrefix(rest, "Z 1 ")
		})
		if len(zombies) == 0 || time.Now().After(deadline) {
			return nil
		}
		time.Sleep(pause)
	}
}

// varying are the numbers in mountinfo that a remount changes.
var varying = regexp.MustCompile(`^\d+ \d+ `)

func mounts(c census) error {
	text, err := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(text)) {
		c["mount "+varying.ReplaceAllString(strings.TrimSpace(line), "")] = true
	}
	return err
}

func (r *rig) cgroups(c census) error {
	roots, err := hierarchies()
	if err != nil {
		return err
	}
	for _, root := range roots {
		err := filepath.WalkDir(root+r.cgroup, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				c["cgroup "+path] = true
			}
			return nil // removed meanwhile
		})
		if err != nil {
			return err
		}
		// A container's cgroup at a wrong place.
		others, err := filepath.Glob(root + "/*" + r.id + "*")
		if err != nil {
			return err
		}
		for _, path := range others {
			c["cgroup "+path] = true
		}
	}
	return nil
}

func (r *rig) files(c census) error {
	return filepath.WalkDir(r.path("state"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			c["file "+path] = true
		}
		return nil // removed meanwhile
	})
}

// keys counts the session keyrings of containers. A zombie keeps its own.
func (r *rig) keys(c census) error {
	if r.task.noReap {
		return nil
	}
	text, err := os.ReadFile("/proc/keys")
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "_ses."+r.id) {
			c["key "+strings.Fields(line)[0]] = true
		}
	}
	return err
}

// descriptors counts this process's: the runtime must not add any.
func descriptors(c census) error {
	entries, err := os.ReadDir("/proc/self/fd")
	c[fmt.Sprintf("descriptors %d", len(entries))] = true
	return err
}
