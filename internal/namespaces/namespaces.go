// Package namespaces plans how the stub enters the namespaces of a container,
// and queues the calls for it.
package namespaces

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Plan lists how the stub enters a container's namespaces, in the order of the
// fields.
type Plan struct {
	// Clone are the CLONE_NEW* flags for clone3(2) of the stub.
	Clone uint64
	// Paths are the namespaces to join by path, without the user namespace.
	Paths []config.Namespace
	// User is the user namespace to join by path, or nil.
	User *config.Namespace
	// Alone are CLONE_NEWUSER and CLONE_NEWTIME, if new. The runtime must write
	// to their /proc files before the next step.
	Alone uint64
	// Unshare are the CLONE_NEW* flags for unshare(2), after the stub has
	// entered its user namespace, which then owns the new ones.
	Unshare uint64
	// Cgroup reports that the stub must unshare its cgroup namespace, after it
	// has entered its cgroup, which becomes the namespace's root.
	Cgroup bool
	// Fork reports that the stub must fork, since a PID or time namespace takes
	// effect only for children.
	Fork bool
}

// late are the namespaces that the running stub unshares instead of clone3(2):
// the kernel needs a millisecond or more for a network namespace, while the
// runtime does other work.
const late = unix.CLONE_NEWNET

// alone are the namespaces with /proc files that the runtime writes.
const alone = unix.CLONE_NEWUSER | unix.CLONE_NEWTIME

// PlanFor returns the plan for n.
func PlanFor(n config.Namespaces) Plan {
	plan := Plan{Alone: n.New & alone, Unshare: n.New & late, Cgroup: n.New&unix.CLONE_NEWCGROUP != 0}
	switch {
	case n.Has(unix.CLONE_NEWUSER):
		plan.Unshare = n.New &^ (alone | unix.CLONE_NEWCGROUP) // the user namespace must exist first, to own them
	case plan.Alone != 0:
		plan.Unshare |= n.New & unix.CLONE_NEWPID // clone3(2) would make the stub init, which must not fork and exit
	}
	plan.Clone = n.New &^ (plan.Alone | plan.Unshare | unix.CLONE_NEWCGROUP)
	plan.Fork = (plan.Alone&unix.CLONE_NEWTIME)|(plan.Unshare&unix.CLONE_NEWPID) != 0
	for _, ns := range n.Join {
		switch ns.Type {
		case unix.CLONE_NEWUSER:
			plan.User = &ns
			continue
		case unix.CLONE_NEWPID:
			plan.Fork = true
		}
		plan.Paths = append(plan.Paths, ns)
	}
	return plan
}

// Owner opens the user namespace that owns ns (ioctl_ns(2)). It returns nil unless
// that is a descendant of the runtime's own.
func Owner(ns *os.File) (*os.File, error) {
	fd, err := unix.IoctlRetInt(int(ns.Fd()), unix.NS_GET_USERNS)
	if errors.Is(err, unix.EPERM) { // not the runtime's or a descendant of it
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the user namespace of %q: %w", ns.Name(), err)
	}
	owner := os.NewFile(uintptr(fd), "user namespace")
	var mine, theirs unix.Stat_t
	err = os.NewSyscallError("stat", unix.Stat("/proc/self/ns/user", &mine))
	if err == nil {
		err = os.NewSyscallError("fstat", unix.Fstat(fd, &theirs))
	}
	if err == nil && (mine.Dev != theirs.Dev || mine.Ino != theirs.Ino) {
		return owner, nil
	}
	return nil, errors.Join(err, owner.Close())
}

// EnterProcess queues the call that joins all namespaces of a container with a
// pidfd of its init (Linux 5.8).
func EnterProcess(p *stub.Proc, pidfd *stub.Value, n config.Namespaces) {
	flags := n.New
	for _, ns := range n.Join {
		flags |= ns.Type
	}
	if flags != 0 { // setns(2) rejects 0 with EINVAL
		p.Setns(pidfd, flags)
	}
}
