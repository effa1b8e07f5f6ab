package setup

import (
	"slices"
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// announceSockets tells the program of the sockets among its descriptors. Their
// names, LISTEN_FDNAMES, are not known here.
func announceSockets(r *run) error {
	pid := r.stub.Getpid()
	r.stub.Check(func() error {
		r.sockets = []string{"LISTEN_FDS=" + strconv.Itoa(r.cfg.ListenFDs), "LISTEN_PID=" + strconv.Itoa(pid.Int())}
		return nil
	})
	return nil
}

// prepareLaunch collects what execve needs.
func prepareLaunch(r *run) error {
	r.launch = state.Launch{Program: r.program, Env: slices.Concat(r.notify, r.home, r.sockets)}
	return nil
}

// programEnv returns the program's environment: what the runtime adds comes
// after what config.json has, and replaces it.
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
