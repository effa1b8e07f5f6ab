package setup

import (
	"strings"
)

// side says which process performs a step.
type side string

const (
	host side = "host" // the runtime
	inst side = "stub" // the stub, by system calls that the step queues
)

// ground is the view and the privileges that the stub still has after a step.
// It only shrinks.
type ground int

const (
	hostTree     ground = iota // it sees the host's file systems
	jailed                     // it sees the container's file systems only
	unprivileged               // it has the user and the capabilities of the program
	filtered                   // it can make the system calls that the filter allows
	gone                       // it is the program
)

func (g ground) String() string {
	return [...]string{"host tree", "jailed", "unprivileged", "filtered", "gone"}[g]
}

// operation is a walk down the table, or a set of them.
type operation uint

const (
	inCreate operation = 1 << iota
	inStart
	inCreateHook // a createContainer hook, on its way into the container
	inStartHook  // a startContainer hook
	inExec       // a process in a container that exists
	inAddMounts
	inRemoveMounts
)

const (
	inHooks = inCreateHook | inStartHook
	// inJoin is for all that join a container that exists, to execute something.
	inJoin = inHooks | inExec
	// inMounts is for what only changes the container's mounts.
	inMounts = inAddMounts | inRemoveMounts
)

// String returns the name that errors and documents have.
func (op operation) String() string {
	switch op {
	case inCreate:
		return "create"
	case inStart:
		return "start"
	case inExec:
		return "exec"
	case inAddMounts:
		return "add mounts to"
	case inRemoveMounts:
		return "remove mounts from"
	case inCreateHook:
		return "createContainer hook"
	}
	return "startContainer hook"
}

// given are the values that an operation begins with, instead of a step that
// makes them: what its container is, which only create has to find out.
func (op operation) given() string {
	switch op {
	case inCreate:
		return ""
	case inStart:
		return "lock state launch"
	}
	return "state"
}

// step is a row of the table.
type step struct {
	name   string
	side   side
	in     operation
	ground ground
	// when are conditions that must all hold for the step to be taken.
	when []condition
	// needs and makes are the values (fields of the type values) that the step
	// reads and writes. Steps of the stub need the stub without saying so.
	needs, makes string
	do           func(*run) error
	// undo reverses a step of the host when a later one fails.
	undo func(*run) error
	why  string
}

// needed returns the names of the values that the step needs.
func (s *step) needed() []string {
	list := strings.Fields(s.needs)
	if s.side == inst {
		list = append(list, "stub")
	}
	return list
}

// made returns the names of the values that the step makes.
func (s *step) made() []string { return strings.Fields(s.makes) }

// taken reports whether a job takes the step.
func (s *step) taken(j *job) bool {
	if s.in&j.op == 0 {
		return false
	}
	for _, c := range s.when {
		if c.holds(j) == c.not {
			return false
		}
	}
	return true
}
