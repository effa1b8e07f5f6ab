package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// rig is a bundle, a state root and a cgroup.
type rig struct {
	runtime, dir, cgroup string
	seed                 uint64

	calm count // nothing has been run yet

	mu    sync.Mutex
	took  map[string][]time.Duration // of commands that were not killed, in order
	kills int
}

func newRig(runtime string, seed uint64) (*rig, error) {
	if os.Getppid() != 1 {
		return nil, errors.New(`needs a pid namespace with "soak init"`)
	}
	runtime, err := filepath.Abs(runtime)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "berth-soak")
	if err != nil {
		return nil, err
	}
	r := &rig{runtime: runtime, dir: dir, cgroup: "/" + filepath.Base(dir), seed: seed, took: map[string][]time.Duration{}}
	if err := r.makeBundle(); err != nil {
		return nil, err
	}
	roots, err := hierarchies()
	for _, root := range roots {
		err = errors.Join(err, os.MkdirAll(root+r.cgroup, 0o755))
	}
	if err != nil {
		return nil, err
	}
	r.calm, _, err = r.measure()
	return r, err
}

// id returns the ID of a container, which no other program of the machine has.
func (r *rig) id(kind string, n int) string {
	return fmt.Sprintf("%s-%s%d", filepath.Base(r.dir), kind, n)
}

// makeBundle makes the root file system. Each container has a bundle with its own cgroup.
func (r *rig) makeBundle() error {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	bin := filepath.Join(r.dir, "rootfs/bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	if out, err := exec.Command("cp", busybox, filepath.Join(bin, "busybox")).CombinedOutput(); err != nil {
		return fmt.Errorf("cp: %w: %s", err, out)
	}
	for _, name := range []string{"sleep", "true"} {
		if err := os.Symlink("busybox", filepath.Join(bin, name)); err != nil {
			return err
		}
	}
	if out, err := exec.Command(r.runtime, "spec", "--bundle", r.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("spec: %w: %s", err, out)
	}
	return nil
}

// bundle makes the bundle of a container.
func (r *rig) bundle(id string) error {
	text, err := os.ReadFile(filepath.Join(r.dir, "config.json"))
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	process := config["process"].(map[string]any)
	process["terminal"], process["args"] = false, []string{"/bin/sleep", "100000"}
	config["root"].(map[string]any)["path"] = filepath.Join(r.dir, "rootfs")
	config["linux"].(map[string]any)["cgroupsPath"] = r.cgroup + "/" + id
	if text, err = json.Marshal(config); err != nil {
		return err
	}
	dir := filepath.Join(r.dir, "bundles", id)
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644))
}

// limit ends a command that hangs.
const limit = 2 * time.Minute

// call runs a command of berth, and kills it after a time unless that is 0. A killed
// command is no error.
func (r *rig) call(kill time.Duration, args ...string) error {
	cmd := exec.Command(r.runtime, append([]string{"--root", filepath.Join(r.dir, "state")}, args...)...)
	errs, err := os.CreateTemp(r.dir, "stderr")
	if err != nil {
		return err
	}
	defer errs.Close()
	defer os.Remove(errs.Name()) //nolint:errcheck // close removes what is left
	cmd.Stderr = errs            // a pipe would stay open with the container
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	after := limit
	if kill > 0 {
		after = kill
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
	err = cmd.Wait()
	took := time.Since(start)
	timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if kill > 0 {
		r.kills++
		return nil
	}
	r.took[args[0]] = append(r.took[args[0]], took)
	if err != nil {
		text, _ := os.ReadFile(errs.Name()) // err says enough
		return fmt.Errorf("%v: %w: %s", args, err, text)
	}
	return nil
}

// each calls f for the numbers below n, with workers at a time. Each number has its own
// random numbers.
func (r *rig) each(n int, f func(i int, random *rand.Rand) error) error {
	next := make(chan int)
	var all sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for range workers {
		all.Go(func() {
			for i := range next {
				if err := f(i, rand.New(rand.NewPCG(r.seed, uint64(i)))); err != nil {
					mu.Lock()
					errs = append(errs, fmt.Errorf("%d: %w", i, err))
					mu.Unlock()
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	if len(errs) > 5 {
		errs = append(errs[:5], fmt.Errorf("and %d more errors", len(errs)-5))
	}
	return errors.Join(errs...)
}

// killTime is a random time to kill a command at: one of eight is killed.
func killTime(random *rand.Rand) time.Duration {
	if random.IntN(8) > 0 {
		return 0
	}
	return time.Duration(1+random.IntN(40)) * time.Millisecond
}

// report prints the times of the first and the last tenth of the commands, and returns
// the ratio of their medians.
func (r *rig) report() {
	for _, name := range slices.Sorted(mapKeys(r.took)) {
		list := r.took[name]
		tenth := max(len(list)/10, 1)
		fmt.Printf("# %s: %d times, the first %s, the last %s\n", name, len(list), median(list[:tenth]), median(list[len(list)-tenth:]))
	}
	fmt.Printf("# %d commands killed\n", r.kills)
	r.took, r.kills = map[string][]time.Duration{}, 0
}

func median(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2].Round(100 * time.Microsecond)
}

// close removes what newRig has made.
func (r *rig) close() error {
	roots, err := hierarchies()
	for _, root := range roots {
		if e := os.Remove(root + r.cgroup); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, os.RemoveAll(r.dir))
}
