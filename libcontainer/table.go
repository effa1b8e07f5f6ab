package libcontainer

import "github.com/berth-oci/berth/libcontainer/config"

// side says who performs a step.
type side string

const (
	host side = "host" // this process
	inst side = "stub" // the stub, by system calls that are queued
)

// ground is what is still under the stub's feet when a step is done. It only
// ever shrinks.
type ground int

const (
	hostTree     ground = iota // it sees the host's file systems
	jailed                     // it sees the container's
	unprivileged               // it has the container's user and capabilities
	filtered                   // it can make the system calls that the container may
	gone                       // it is the container's program
)

func (g ground) String() string {
	return [...]string{"host tree", "jailed", "unprivileged", "filtered", "gone"}[g]
}

// verbs says in which commands a step is taken.
type verbs uint

const (
	inCreate verbs = 1 << iota
	inStart
	inCreateHook // a createContainer hook, on its way into the container
	inStartHook  // a startContainer hook
	inExec       // a process in a container that exists
	inAddMounts
	inRemoveMounts
)

const (
	inHooks = inCreateHook | inStartHook
	// inSecond is what gets into a container by a second stub.
	inSecond = inHooks | inExec
	// inMounts is for what only changes the container's mounts.
	inMounts = inAddMounts | inRemoveMounts
)

// step is a row of the table.
type step struct {
	name   string
	side   side
	in     verbs
	ground ground
	// when is nil for a step that is always taken.
	when func(*config.Config) bool
	do   func(*run) error
	// undo takes a step on the host back when a later one fails.
	undo func(*run) error
	why  string
}

// Step describes a row of the step table.
type Step struct {
	Name, Side, Ground, Why string
	// Conditional says that some configurations do not need it.
	Conditional bool
	// Create, Start and Exec say which commands take it; CreateContainer and
	// StartContainer, which hooks on their way into the container.
	Create, Start, Exec, CreateContainer, StartContainer bool
	// AddMounts and RemoveMounts say whether it is taken when the mounts of a
	// container that exists are changed.
	AddMounts, RemoveMounts bool
	// Undone says that a failure later on takes it back.
	Undone bool
}

// Steps describes the step table.
func Steps() []Step {
	list := make([]Step, len(steps))
	for i, s := range steps {
		list[i] = Step{
			Name: s.name, Side: string(s.side), Ground: s.ground.String(), Why: s.why,
			Conditional: s.when != nil, Undone: s.undo != nil,
			Create: s.in&inCreate != 0, Start: s.in&inStart != 0, Exec: s.in&inExec != 0,
			CreateContainer: s.in&inCreateHook != 0, StartContainer: s.in&inStartHook != 0,
			AddMounts: s.in&inAddMounts != 0, RemoveMounts: s.in&inRemoveMounts != 0,
		}
	}
	return list
}
