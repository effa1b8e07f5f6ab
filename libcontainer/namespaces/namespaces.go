// Package namespaces plans how the stub gets into the namespaces of a
// container, and queues the calls that bring it there.
package namespaces

import (
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Plan is the way into a container's namespaces, in the order of its fields.
type Plan struct {
	// Clone are the CLONE_NEW* flags that the stub is started with.
	Clone uint64
	// Join are the namespaces to enter by path, the mount namespace last:
	// the paths of the others are the host's.
	Join []config.Namespace
	// Fork says that a pid namespace was joined, which is in force for
	// children only.
	Fork bool
	// Unshare are the CLONE_NEW* flags for when the stub is in its cgroup.
	Unshare uint64
}

// late are the namespaces made by unshare in the running stub, not when it is
// started: the cgroup namespace has the cgroup of its maker as its root, so
// the stub must be in its cgroup first; a network namespace takes the kernel a
// millisecond or more, in which the runtime can do other work.
const late = unix.CLONE_NEWCGROUP | unix.CLONE_NEWNET

// PlanFor gives the way into n.
func PlanFor(n config.Namespaces) Plan {
	plan := Plan{Clone: n.New &^ late, Unshare: n.New & late}
	var mount []config.Namespace
	for _, ns := range n.Join {
		switch ns.Type {
		case unix.CLONE_NEWNS:
			mount = append(mount, ns)
			continue
		case unix.CLONE_NEWPID:
			plan.Fork = true
		}
		plan.Join = append(plan.Join, ns)
	}
	plan.Join = append(plan.Join, mount...)
	return plan
}

// Enter queues the calls that join namespaces by path. All paths are opened
// before the first namespace is joined.
func Enter(p *stub.Proc, join []config.Namespace) {
	fds := make([]*stub.Value, len(join))
	for i, ns := range join {
		p.Label("%s: %s", ns.Field, ns.Path)
		fds[i] = p.Openat(stub.Num(unix.AT_FDCWD), ns.Path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}
	for i, ns := range join {
		p.Label("%s: %s", ns.Field, ns.Path)
		p.Setns(fds[i], ns.Type)
		p.CloseFd(fds[i])
	}
}

// EnterProcess queues the joining of a container's namespaces, all at once, by
// a pidfd of its first process (Linux 5.8). In a user namespace the stub
// becomes its root.
func EnterProcess(p *stub.Proc, pidfd *stub.Value, n config.Namespaces) {
	flags := n.New
	for _, ns := range n.Join {
		flags |= ns.Type
	}
	p.Setns(pidfd, flags)
	if flags&unix.CLONE_NEWUSER != 0 {
		p.Setresgid(0)
		p.Setresuid(0)
	}
}
