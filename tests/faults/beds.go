package main

import (
	"errors"
	"fmt"
	"os"
)

// bed is a bed of tests/beds, as far as tasks depend on it.
type bed struct {
	// v1: the controllers are in v1 hierarchies, in which a user has no cgroup.
	v1 bool
	// controllers: a cgroup can have limits.
	controllers bool
	// systemd is process 1, and makes the cgroups of containers.
	systemd bool
}

// beds are the beds of all tasks.
var beds = map[string]bed{
	"host":    {v1: true, controllers: true},
	"v2":      {},
	"userns":  {},
	"criu":    {v1: true, controllers: true},
	"systemd": {systemd: true},
	"guest":   {systemd: true, controllers: true},
}

// bedOf returns the bed of the task.
func (t task) bedOf() bed { return beds[t.bed] }

// delegated reports whether the containers of the task's user have a cgroup.
func (t task) delegated() bool { return t.config != "rootless" || !t.bedOf().v1 }

// checkBed refuses to run elsewhere: clean kills processes that a trial has not made, too.
func (r *rig) checkBed() error {
	if r.task.bedOf().systemd {
		if _, err := os.Stat("/run/bed/command"); err != nil {
			return fmt.Errorf("needs the bed %s: %w", r.task.bed, err)
		}
		return nil
	}
	init, err := os.Readlink("/proc/1/exe")
	if err != nil || init != r.self || os.Getppid() != 1 {
		return errors.New("needs a pid namespace with \"faults init\"")
	}
	return nil
}
