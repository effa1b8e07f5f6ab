package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// count is what must be equal before and after, by name.
type count map[string]int

// size is memory of the kernel in KiB, and dying cgroups, that other programs of the machine
// change too, by name.
type size map[string]int

// growth is how much a part may add to each size for each container or program: less than
// any leak of an object (a cgroup takes 10 KiB of slab for each hierarchy, a mount and a
// process as much), and base, whatever the number is: caches and the machine's other
// programs.
var growth = map[string]struct{ each, base float64 }{
	"unreclaimable slab":           {0.5, 64 << 10},
	"kernel stacks":                {0.1, 8 << 10},
	"page tables":                  {0.1, 32 << 10},
	"memory of per-CPU allocation": {0.2, 32 << 10},
	"dying cgroups":                {0.01, 200},
}

// settling is how long the kernel may take to end what a part has left: RCU, dying
// cgroups, unmounts.
const settling = time.Minute

// flat runs a part, and compares the counts with those when nothing had been run yet, and
// the sizes with those after a few.
func (r *rig) flat(n int, part func(int) error) error {
	// Directories and caches that the first containers make are no growth.
	if err := part(min(n, 2*workers)); err != nil {
		return err
	}
	r.took, r.kills = map[string][]time.Duration{}, 0
	_, before, err := r.measure()
	if err != nil {
		return err
	}
	err = part(n)
	r.report()
	return errors.Join(err, r.settle(n, before))
}

// settle waits until the counts are those of the beginning, and the sizes small enough.
func (r *rig) settle(n int, before size) error {
	for deadline := time.Now().Add(settling); ; time.Sleep(100 * time.Millisecond) {
		now, later, err := r.measure()
		if err != nil {
			return err
		}
		found := slices.Concat(compareCounts(r.calm, now), compareSizes(n, before, later))
		if len(found) == 0 || time.Now().After(deadline) {
			for _, name := range slices.Sorted(mapKeys(before)) {
				fmt.Printf("# %s: %d before, %d after\n", name, before[name], later[name])
			}
		}
		if len(found) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.New(strings.Join(found, "; "))
		}
	}
}

func compareCounts(before, now count) (found []string) {
	for name, n := range now {
		if n != before[name] {
			found = append(found, fmt.Sprintf("%s: %d before, %d after", name, before[name], n))
		}
	}
	slices.Sort(found)
	return found
}

func compareSizes(n int, before, now size) (found []string) {
	for name, g := range growth {
		if most := before[name] + int(g.base+g.each*float64(n)); now[name] > most {
			found = append(found, fmt.Sprintf("%s: %d before, %d after, at most %d", name, before[name], now[name], most))
		}
	}
	slices.Sort(found)
	return found
}

// measure counts processes, mounts, cgroups, files of the state root, session keyrings
// of containers and descriptors of this process, and reads the sizes.
func (r *rig) measure() (count, size, error) {
	c := count{}
	processes, err := filepath.Glob("/proc/[0-9]*")
	c["processes"] = len(processes)
	mounts, e := lines("/proc/self/mountinfo")
	c["mounts"] = len(mounts)
	err = errors.Join(err, e)
	keys, e := lines("/proc/keys")
	for _, line := range keys {
		if strings.Contains(line, "_ses."+filepath.Base(r.dir)) {
			c["keys"]++
		}
	}
	descriptors, e2 := os.ReadDir("/proc/self/fd")
	c["descriptors"] = len(descriptors)
	err = errors.Join(err, e, e2)
	for _, dir := range []string{"state", "bundles"} {
		entries, e := os.ReadDir(filepath.Join(r.dir, dir))
		if !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
		c[dir] = len(entries)
	}
	roots, e := hierarchies()
	for _, root := range roots {
		entries, e := os.ReadDir(root + r.cgroup)
		err = errors.Join(err, e)
		for _, entry := range entries {
			if entry.IsDir() {
				c["cgroups"]++
			}
		}
	}
	s, e2 := sizes(roots)
	// Present in both, so that a count that becomes 0 or ceases to be is compared.
	for _, name := range []string{"keys", "cgroups"} {
		c[name] += 0
	}
	return c, s, errors.Join(err, e, e2)
}

// inMeminfo are the names in /proc/meminfo of sizes.
var inMeminfo = map[string]string{
	"SUnreclaim": "unreclaimable slab", "KernelStack": "kernel stacks", "PageTables": "page tables", "Percpu": "memory of per-CPU allocation",
}

func sizes(roots []string) (size, error) {
	s := size{}
	info, err := lines("/proc/meminfo")
	for _, line := range info {
		name, rest, _ := strings.Cut(line, ":")
		if to, ok := inMeminfo[name]; ok {
			n, e := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			err = errors.Join(err, e)
			s[to] = n
		}
	}
	for _, root := range roots {
		stat, e := lines(filepath.Join(root, "cgroup.stat"))
		if errors.Is(e, fs.ErrNotExist) {
			continue // v1
		}
		err = errors.Join(err, e)
		for _, line := range stat {
			if n, ok := strings.CutPrefix(line, "nr_dying_descendants "); ok {
				dying, e := strconv.Atoi(n)
				err = errors.Join(err, e)
				s["dying cgroups"] += dying
			}
		}
	}
	return s, err
}

// lines returns the lines of a file.
func lines(path string) (list []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		list = append(list, scanner.Text())
	}
	return list, scanner.Err()
}

// hierarchies are the roots of all mounted cgroup hierarchies.
func hierarchies() (found []string, err error) {
	mounts, err := lines("/proc/self/mounts")
	for _, line := range mounts {
		if f := strings.Fields(line); strings.HasPrefix(f[2], "cgroup") {
			found = append(found, f[1])
		}
	}
	return found, err
}

// mapKeys returns the keys of a map.
func mapKeys[V any](m map[string]V) func(func(string) bool) { return maps.Keys(m) }
