package main

import "fmt"

// taskSummary is the last line of a task.
const taskSummary = "%d of %d trials, %d not reached, %d findings, %d accepted, %d succeeded"

// prove runs tasks in their beds.
func prove(args []string) error {
	flags := newProofFlags("prove")
	part := flags.String("part", "", "only this `part`")
	points := flags.Int("points", 0, "how many points of each task are tried; all if 0")
	if err := parse(flags.FlagSet, args, 1); err != nil {
		return err
	}
	var list []job
	for _, t := range tasks() {
		if *part != "" && *part != t.part {
			continue
		}
		j := job{name: t.String(), bed: t.bed}
		if t.noReap {
			j.init = []string{"--no-reap"}
		}
		j.args = []string{"work", "--points", fmt.Sprint(*points), "--seed", fmt.Sprint(*flags.seed), flags.Arg(0), t.String()}
		list = append(list, j)
	}
	return flags.run(list, taskSummary)
}

// taskSet are the tasks of each combination.
type taskSet struct {
	part                    string
	beds, configs, commands []string
	noReap                  bool
}

var (
	allCommands = []string{"create", "start", "run", "exec", "delete", "update", "pause", "resume", "kill", "mounts-add", "mounts-remove"}
	allConfigs  = []string{"default", "full", "rootless"}
	mostBeds    = []string{"host", "v2"}
)

// taskSets are all of them. A user namespace has no IDs for the other configurations.
var taskSets = []taskSet{
	{"kills", mostBeds, allConfigs, allCommands, false},
	{"kills", []string{"host"}, allConfigs, allCommands, true},
	{"kills", []string{"userns"}, []string{"default"}, allCommands, false},
	{"errors", mostBeds, allConfigs, []string{"create", "start", "run", "exec", "delete"}, false},
	{"errors", []string{"userns"}, []string{"default"}, []string{"run", "exec"}, false},
	{"missing", mostBeds, allConfigs, []string{"run", "exec", "delete"}, false},
	{"missing", []string{"userns"}, []string{"default"}, []string{"run", "exec", "delete"}, false},
	{"kills", []string{"criu"}, []string{"default"}, []string{"checkpoint", "save", "restore"}, false},
	{"kills", []string{"systemd"}, allConfigs, allCommands, false},
	{"errors", []string{"systemd"}, allConfigs, []string{"create", "start", "run", "exec", "delete"}, false},
	{"missing", []string{"systemd"}, allConfigs, []string{"run", "exec", "delete"}, false},
	// The bed systemd has no controllers.
	{"kills", []string{"guest"}, []string{"default", "rootless"}, []string{"update"}, false},
	{"environments", []string{"host"}, []string{"default"}, allCommands, false},
}

// tasks are all tasks.
func tasks() (list []task) {
	for _, s := range taskSets {
		for _, config := range s.configs {
			for _, bed := range s.beds {
				for _, command := range s.commands {
					if t := (task{s.part, bed, config, command, s.noReap}); t.possible() {
						list = append(list, t)
					}
				}
			}
		}
	}
	return list
}

// possible reports whether the container of a task has the cgroup, and the controllers, that
// its command needs.
func (t task) possible() bool {
	switch t.command {
	case "update":
		return t.bedOf().controllers && t.delegated()
	case "pause", "resume":
		return t.delegated()
	}
	return true
}
