package setup

import (
	"os"

	"github.com/berth-oci/berth/internal/cgroups/systemd"
	"github.com/berth-oci/berth/internal/criu"
	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/internal/network"
	"github.com/berth-oci/berth/internal/rootfs"
	"github.com/berth-oci/berth/libcontainer/cgroups"
	"github.com/berth-oci/berth/libcontainer/internal/state"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// values are results of steps that later steps use. Under given conditions at most
// one step of an operation makes a value. The table declares the values that each
// step needs and makes; tests compare the declarations with the functions.
type values struct {
	lock *state.Lock
	// state is the container's state file. Create makes its fields one by one; a
	// step that makes or needs a field declares it, as in "state.Pid".
	state *state.State

	cgroup    cgroups.Manager
	unit      *systemd.Manager    // the same manager, if systemd makes the cgroup
	planned   map[string]string   // the cgroup directories that the configuration asks for
	ownCgroup bool                // create made the cgroup, so undo removes it
	limits    *task[limitsResult] // writes the limits and the device rules
	filter    *task[[]byte]       // compiles and saves the seccomp filter
	saved     *task[struct{}]     // saves the configuration

	region   *os.File // shared memory of a detached stub
	listener *os.File // socket on which a detached stub accepts its next driver
	child    *stub.Child
	stub     *stub.Proc   // the connection to the stub
	outlive  func() error // detaches the connection from the context of create

	conn     *criu.Conn  // the connection to CRIU
	restored *stub.Child // the restored init

	maps     idmap.Maps // of the container's user namespace
	notOwned []int      // descriptors that the runtime may not chown to the program's user

	tree    *rootfs.Tree
	mounts  []rootfs.Op // the mounts to add
	mover   *network.Mover
	entered *stub.Value // the result of entering the working directory as root

	program string       // the path of process.args[0]
	home    []string     // HOME entry, unless process.env has one
	notify  []string     // NOTIFY_SOCKET entry
	sockets []string     // LISTEN_FDS and LISTEN_PID entries
	launch  state.Launch // the program and the added entries, for execve
}
