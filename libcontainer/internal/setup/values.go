package setup

import (
	"os"

	"github.com/berth-oci/berth/internal/cgroups/systemd"
	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/internal/network"
	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// values are what steps make for later steps. In each operation one step at
// most makes a value under given conditions, and every step says in the table
// what it needs and makes: tests compare that with what its function touches.
type values struct {
	lock *state.Lock
	// state is what is on disk of the container. Create makes its fields one by
	// one; a step that makes or needs one names it, as in "state.Pid".
	state *state.State

	cgroup    cgroups.Manager
	unit      *systemd.Manager  // the same, if systemd makes it
	planned   map[string]string // the cgroup directories that the container was to have
	ownCgroup bool              // the cgroup is the container's to remove
	limits    *task[outcome]    // writes the limits and the device rules
	filter    *task[[]byte]     // compiles and saves the seccomp filter
	saved     *task[struct{}]   // saves the configuration

	region   *os.File // shared memory of a stub that is detached
	listener *os.File // where such a stub takes its next driver
	child    *stub.Child
	stub     *stub.Proc // the connection to the stub

	maps     idmap.Maps // of the container's user namespace
	notOwned []int      // descriptors that could not be given to the program's user
	noGroups bool       // setgroups(2) is denied

	tree    *rootfs.Tree
	mounts  []rootfs.Op // to be added
	mover   *network.Mover
	entered *stub.Value // the result of entering the working directory as root

	program string       // the path that process.args[0] was found at
	home    []string     // HOME, unless process.env has it
	notify  []string     // NOTIFY_SOCKET
	sockets []string     // LISTEN_FDS and LISTEN_PID
	launch  state.Launch // all of these, as execve needs them
}
