package setup

import (
	"strings"
)

// side says which process performs a step.
type side string

const (
	hostSide side = "host" // the runtime
	stubSide side = "stub" // the stub, by system calls that the step queues
)

// ground is the view and the privileges that the stub still has after a step.
// No step enlarges it.
type ground int

const (
	hostTree     ground = iota // the stub sees the host's file systems
	jailed                     // the stub sees the container's file systems only
	unprivileged               // the stub has the program's user and capabilities
	filtered                   // the stub can make only the system calls that the filter allows
	gone                       // the stub has become the program
)

func (g ground) String() string {
	return [...]string{"host tree", "jailed", "unprivileged", "filtered", "gone"}[g]
}

// operation selects rows of the table; values can be combined to a set.
type operation uint

const (
	inCreate operation = 1 << iota
	inStart
	inCreateHook // execute a createContainer hook in the container
	inStartHook  // execute a startContainer hook in the container
	inExec       // execute a process in the container
	inAddMounts
	inRemoveMounts
	inRestore // restore a container from an image, by steps of its own table
)

const (
	inHooks = inCreateHook | inStartHook
	// inJoin are the operations whose stub joins a container to execute a program.
	inJoin = inHooks | inExec
	// inMounts are the operations that only change the container's mounts.
	inMounts = inAddMounts | inRemoveMounts
)

// String returns the name of one operation for errors and documents.
func (op operation) String() string {
	switch op {
	case inCreate:
		return "create"
	case inStart:
		return "start"
	case inRestore:
		return "restore"
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

// given returns the values that the caller passes to an operation, so that no step
// makes them. Only create begins without a state.
func (op operation) given() string {
	switch op {
	case inCreate, inRestore:
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
	// when lists the conditions of the step: it is taken if all of them hold.
	when []condition
	// needs and makes list the values (fields of the type values) that the step
	// reads and writes; "?" marks one that may be absent. Steps of the stub
	// implicitly need the stub.
	needs, makes string
	do           func(*run) error
	// undo reverses a step of the host when a later step fails.
	undo func(*run) error
	// why is the reason for the step's place: one clause of at most 100 characters.
	why string
}

// needed returns the names in needs, and the stub for a step of the stub.
func (s *step) needed() []string {
	list := strings.Fields(s.needs)
	if s.side == stubSide {
		list = append(list, "stub")
	}
	return list
}

// made returns the names in makes.
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
