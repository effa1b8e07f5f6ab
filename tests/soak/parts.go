package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// containers runs n containers, one after the other in each worker.
func (r *rig) containers(n int) error {
	return r.each(n, func(i int, random *rand.Rand) error {
		id := r.id("c", i)
		if err := r.bundle(id); err != nil {
			return err
		}
		bundle := filepath.Join(r.dir, "bundles", id)
		kill := killTime(random)
		var err error
		if random.IntN(2) == 0 {
			err = r.call(kill, "run", "--detach", "--bundle", bundle, id)
		} else if err = r.call(kill, "create", "--bundle", bundle, id); err == nil && kill == 0 {
			kill = killTime(random)
			err = r.call(kill, "start", id)
		}
		if err == nil && kill == 0 && random.IntN(2) == 0 {
			err = r.call(killTime(random), "kill", id, "KILL")
		}
		if kill := killTime(random); kill > 0 {
			err = errors.Join(err, r.call(kill, "delete", "--force", id))
		}
		return errors.Join(err, r.call(0, "delete", "--force", id), os.RemoveAll(bundle))
	})
}

// stay is how many containers execs uses.
const stay = 4

// execs executes n programs in a few containers.
func (r *rig) execs(n int) error {
	for i := range stay {
		id := r.id("stay", i)
		if err := r.bundle(id); err != nil {
			return err
		}
		if err := r.call(0, "run", "--detach", "--bundle", filepath.Join(r.dir, "bundles", id), id); err != nil {
			return err
		}
	}
	err := r.each(n, func(_ int, random *rand.Rand) error {
		id := r.id("stay", random.IntN(stay))
		kill := killTime(random)
		program := []string{"/bin/true"}
		if random.IntN(8) == 0 { // one that is still there when the runtime is killed
			program, kill = []string{"/bin/sleep", "0.05"}, time.Duration(1+random.IntN(60))*time.Millisecond
		}
		return r.call(kill, append([]string{"exec", id}, program...)...)
	})
	for i := range stay {
		id := r.id("stay", i)
		err = errors.Join(err, r.call(0, "delete", "--force", id), os.RemoveAll(filepath.Join(r.dir, "bundles", id)))
	}
	return err
}

// atOnce creates, starts, lists and deletes n containers together.
func (r *rig) atOnce(n int) error {
	id := func(i int) string { return r.id("m", i) }
	err := r.each(n, func(i int, _ *rand.Rand) error {
		bundle := filepath.Join(r.dir, "bundles", id(i))
		return errors.Join(r.bundle(id(i)), r.call(0, "create", "--bundle", bundle, id(i)))
	})
	err = errors.Join(err, r.listed(n, "created"))
	err = errors.Join(err, r.each(n, func(i int, _ *rand.Rand) error { return r.call(0, "start", id(i)) }))
	err = errors.Join(err, r.listed(n, "running"))
	return errors.Join(err, r.each(n, func(i int, _ *rand.Rand) error {
		return errors.Join(r.call(0, "delete", "--force", id(i)), os.RemoveAll(filepath.Join(r.dir, "bundles", id(i))))
	}))
}

// listed checks that n containers are listed with a status.
func (r *rig) listed(n int, status string) error {
	start := time.Now()
	out, err := exec.Command(r.runtime, "--root", filepath.Join(r.dir, "state"), "list", "--format", "json").Output()
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	fmt.Printf("# list of %d: %s\n", n, time.Since(start).Round(time.Millisecond))
	var list []struct{ Status string }
	if err := json.Unmarshal(out, &list); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	for _, c := range list {
		if c.Status != status {
			return fmt.Errorf("list: %s instead of %s", c.Status, status)
		}
	}
	if len(list) != n {
		return fmt.Errorf("list: %d containers instead of %d", len(list), n)
	}
	return nil
}
