package setup

import (
	"slices"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// announceSockets adds LISTEN_FDS and LISTEN_PID to the program's environment. The
// runtime does not know the sockets' names (LISTEN_FDNAMES).
func announceSockets(r *run) error {
	pid := r.stub.Getpid()
	r.stub.Check(func() error {
		r.sockets = []string{"LISTEN_FDS=" + strconv.Itoa(r.cfg.ListenFDs), "LISTEN_PID=" + strconv.Itoa(pid.Int())}
		return nil
	})
	return nil
}

// prepareLaunch collects the program's path and the added environment for execve.
func prepareLaunch(r *run) error {
	r.launch = state.Launch{Program: r.program, Env: slices.Concat(r.notify, r.home, r.sockets)}
	return nil
}

// programEnv returns the program's environment: process.env and then the entries that
// the runtime adds, which replace those of the same name.
func (r *run) programEnv() []string {
	added := r.launch.Env
	if len(added) == 0 {
		return r.cfg.Process.Env
	}
	env := make([]string, 0, len(r.cfg.Process.Env)+len(added))
	for _, entry := range r.cfg.Process.Env {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.ContainsFunc(added, func(a string) bool { return strings.HasPrefix(a, name+"=") }) {
			env = append(env, entry)
		}
	}
	return append(env, added...)
}
