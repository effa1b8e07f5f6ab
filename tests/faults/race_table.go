package main

import "regexp"

// contest is a race of two or three commands on one container.
type contest struct {
	config string // of the bundle: default if empty
	before [][]string
	rivals []rival
	// relief are commands that follow when all rivals with waits unset have ended: a process
	// that begins in a frozen cgroup waits until it is thawed.
	relief [][]string
	// wins is how many rivals must succeed, at least.
	wins int
	// exactly: not more may.
	exactly bool
}

// rival is a command of a race.
type rival struct {
	args []string
	// mays are the errors that it may end in instead of success.
	mays []*regexp.Regexp
	// waits until relief.
	waits bool
}

// or returns the rival with errors that it may end in.
func (r rival) or(texts ...string) rival {
	for _, text := range texts {
		r.mays = append(r.mays, regexp.MustCompile(text))
	}
	return r
}

// Rivals.
var (
	create      = rival{args: []string{"create", bundleWord, idWord}}
	run         = rival{args: []string{"run", "--detach", bundleWord, idWord}}
	start       = rival{args: []string{"start", idWord}}
	remove      = rival{args: []string{"delete", idWord}}
	force       = rival{args: []string{"delete", "--force", idWord}}.or(nevertheless)
	killed      = rival{args: []string{"kill", idWord, "KILL"}}
	termed      = rival{args: []string{"kill", idWord, "TERM"}}
	killedAll   = rival{args: []string{"kill", "--all", idWord, "KILL"}}
	execute     = rival{args: []string{"exec", idWord, programWord}}
	pause       = rival{args: []string{"pause", idWord}}
	resume      = rival{args: []string{"resume", idWord}}
	update      = rival{args: []string{"update", "--pids-limit", "50", idWord}}
	addMount    = rival{args: []string{"mounts", "add", idWord, mountsWord}}
	removeMount = rival{args: []string{"mounts", "remove", idWord, mountsWord}}
	list        = rival{args: []string{"list"}}
	state       = rival{args: []string{"state", idWord}}
	ps          = rival{args: []string{"ps", idWord}}
	stats       = rival{args: []string{"events", "--stats", idWord}}
)

// Errors of rivals.
const (
	absent     = `: container does not exist$`
	exists     = `^exit 1: create "ID": reserve state: container with given ID already exists \(delete it first, or choose another ID\)$`
	locked     = `^exit 1: delete "ID": another command is working on the container: try again$`
	runs       = `^exit 1: delete "ID": cannot delete container ID that is not stopped: running \(--force kills it\)$`
	ended      = `: container process ended unexpectedly(: killed by SIGKILL)?$`
	notRunning = `: container not running(: (it has ended while|a delete removes it).*)?$`
	hasStarted = `: cannot start an already running container$`
	hasStopped = `: cannot start a container that has stopped$`
	isPaused   = `: cannot start a container in the paused state$`
	cannotExec = `: cannot (exec in a (creating|stopped)|read the configuration of a creating) container$`
	noExec     = `: cannot exec in a paused container \(use --ignore-paused to override\)$`
	cannotAdd  = `: cannot change the mounts of a (creating|stopped) container$`
	twice      = `: container is already paused$`
	notPaused  = `: container not paused$`
	noStats    = `^exit 1: container with id ID is not running$`
	noInit     = `: (run createContainer hooks|move network devices): .*: (setns: no such process|clone3: (cannot allocate memory|no such file or directory)|open /proc/\d+/\w+: no such file)`
	noUnit     = `: start unit: .*: no such (process|file or directory|device)$` // systemd removes that of a stub that has ended
	hookDied   = `: run \w+ hooks: .*: killed by signal 9 \(killed\)$`           // with the pid namespace
	// The rival has kept the lock for half a second after the end of init.
	nevertheless = `^ok: container "ID": another command keeps the lock and does not end: deleted nevertheless$`
	died         = `^exit 137$` // the program of exec, by SIGKILL
)

// Rivals of a command that ends the container.
var (
	createEnded  = create.or(ended, noInit, noUnit, hookDied)
	startEnded   = start.or(absent, ended, notRunning, hasStopped, hookDied)
	executeEnded = execute.or(absent, cannotExec, notRunning, died)
	pauseEnded   = pause.or(absent, notRunning)
	resumeEnded  = resume.or(absent, notPaused, notRunning)
	updateEnded  = update.or(absent, notRunning)
	addEnded     = addMount.or(absent, cannotAdd, notRunning)
	removeEnded  = removeMount.or(absent, cannotAdd, notRunning)
	psEnded      = ps.or(absent, notRunning)
	statsEnded   = stats.or(absent, noStats, notRunning)
)

func pair(before [][]string, rivals ...rival) contest { return contest{before: before, rivals: rivals} }

// one says that exactly one rival succeeds.
func (c contest) one() contest {
	c.wins, c.exactly = 1, true
	return c
}

// oneOrMore says that at least one rival succeeds.
func (c contest) oneOrMore() contest {
	c.wins = 1
	return c
}

// full uses the full configuration, which has hooks of all kinds.
func (c contest) full() contest {
	c.config = "full"
	return c
}

// resumed says that a rival waits if it begins in a frozen cgroup, until the container is
// resumed.
func (c contest) resumed() contest {
	c.relief = [][]string{{"resume", idWord}}
	return c
}

func (r rival) mayWait() rival {
	r.waits = true
	return r
}

// contests are all of them.
var contests = map[string]contest{
	"create+create":        pair(nil, create.or(exists), create.or(exists)).one(),
	"create+list":          pair(nil, create, list),
	"create+state":         pair(nil, create, state.or(absent)),
	"create+start":         pair(nil, create, start.or(absent)),
	"create+kill":          pair(nil, createEnded, killed.or(absent, notRunning)).oneOrMore(),
	"create+delete":        pair(nil, create, remove.or(absent, locked)),
	"create+force":         pair(nil, createEnded, force),
	"create+exec":          pair(nil, create, execute.or(absent, cannotExec)),
	"run+run":              pair(nil, run.or(exists), run.or(exists)).one(),
	"run+force":            pair(nil, run.or(ended, noUnit, absent, notRunning, hasStopped), force),
	"run+kill":             pair(nil, run.or(ended, noUnit, notRunning, hasStopped), killed.or(absent, notRunning)).oneOrMore(),
	"start+start":          pair(created, start.or(hasStarted), start.or(hasStarted)).one(),
	"start+delete":         pair(created, start.or(absent), remove.or(runs)).one(),
	"start+force":          pair(created, startEnded, force),
	"start+kill":           pair(created, startEnded, killed),
	"start+term":           pair(created, startEnded, termed),
	"start+pause":          pair(created, start.or(isPaused), pause),
	"start+exec":           pair(created, start, execute),
	"start+update":         pair(created, start, update),
	"start+list":           pair(created, start, list),
	"delete+delete":        pair(created, remove.or(absent), remove.or(absent)).one(),
	"force+force":          pair(started, force, force),
	"delete+kill":          pair(started, remove.or(runs), killed),
	"force+kill":           pair(started, force, killed.or(absent, notRunning)),
	"force+state":          pair(started, force, state.or(absent)),
	"force+list":           pair(started, force, list),
	"force+ps":             pair(started, force, psEnded),
	"force+stats":          pair(started, force, statsEnded),
	"exec+force":           pair(started, executeEnded, force),
	"exec+kill":            pair(started, executeEnded, killed),
	"exec+kill-all":        pair(started, executeEnded.or(noExec), killedAll),
	"exec+exec":            pair(started, execute, execute),
	"exec+pause":           pair(started, execute.or(noExec).mayWait(), pause).resumed(),
	"pause+force":          pair(started, pauseEnded, force),
	"pause+kill":           pair(started, pauseEnded, killed),
	"pause+pause":          pair(started, pause.or(twice), pause.or(twice)).one(),
	"pause+resume":         pair(paused, pause.or(twice), resume),
	"resume+force":         pair(paused, resumeEnded, force),
	"resume+kill":          pair(paused, resumeEnded, killed),
	"update+force":         pair(started, updateEnded, force),
	"update+kill":          pair(started, updateEnded, killed),
	"update+update":        pair(started, update, update),
	"update+pause":         pair(started, update, pause),
	"mounts+force":         pair(started, addEnded, force),
	"mounts+kill":          pair(started, addEnded, killed),
	"mounts+mounts":        pair(started, addMount, addMount),
	"mounts+remove":        pair(mounted, removeMount, addMount.or(`: move_mount: no such file or directory \(ENOENT\)$`)),
	"mounts+pause":         pair(started, addMount, pause),
	"remove+force":         pair(mounted, removeEnded, force),
	"hooks-create+kill":    pair(nil, createEnded, killed.or(absent, notRunning)).oneOrMore().full(),
	"hooks-create+force":   pair(nil, createEnded, force).full(),
	"hooks-start+kill":     pair(created, startEnded, killed).full(),
	"hooks-start+force":    pair(created, startEnded, force).full(),
	"hooks-exec+force":     pair(started, executeEnded, force).full(),
	"create+create+force":  pair(nil, createEnded.or(exists), createEnded.or(exists), force),
	"create+list+state":    pair(nil, create, list, state.or(absent)),
	"create+start+force":   pair(nil, createEnded, startEnded, force),
	"start+kill+delete":    pair(created, startEnded, killed.or(absent, notRunning), remove.or(runs)),
	"exec+pause+force":     pair(started, executeEnded.or(noExec), pauseEnded, force),
	"exec+kill+delete":     pair(started, executeEnded, killed.or(absent, notRunning), remove.or(runs)),
	"update+pause+force":   pair(started, updateEnded, pauseEnded, force),
	"mounts+remove+force":  pair(mounted, addEnded.or(`: move_mount: no such file or directory \(ENOENT\)$`), removeEnded, force),
	"delete+create+create": pair(created, remove.or(absent, locked), create.or(exists), create.or(exists)),
}
