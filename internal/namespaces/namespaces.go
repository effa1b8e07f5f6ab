// Package namespaces plans how the stub gets into the namespaces of a
// container, and queues the calls that bring it there.
package namespaces

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Plan is the way into a container's namespaces, in the order of its fields.
type Plan struct {
	// Clone are the CLONE_NEW* flags that the stub is started with.
	Clone uint64
	// Paths are the namespaces to enter by path, but for the user namespace.
	Paths []config.Namespace
	// User is the user namespace to enter by path, if any.
	User *config.Namespace
	// Alone are those of CLONE_NEWUSER and CLONE_NEWTIME that are to be made:
	// the runtime has to write to files of theirs before more can happen.
	Alone uint64
	// Unshare are the CLONE_NEW* flags for when the stub is in its user
	// namespace, which then owns them.
	Unshare uint64
	// Cgroup says that a cgroup namespace is to be made, when the stub is in
	// its cgroup: that becomes its root.
	Cgroup bool
	// Fork says that there is a namespace, of pid or time, that is in force
	// for children only.
	Fork bool
}

// late are the namespaces made by unshare in the running stub, not when it is
// started: a network namespace takes the kernel a millisecond or more, in which
// the runtime can do other work.
const late = unix.CLONE_NEWNET

// alone are the namespaces with files for the runtime to write.
const alone = unix.CLONE_NEWUSER | unix.CLONE_NEWTIME

// PlanFor gives the way into n.
func PlanFor(n config.Namespaces) Plan {
	plan := Plan{Alone: n.New & alone, Unshare: n.New & late, Cgroup: n.New&unix.CLONE_NEWCGROUP != 0}
	switch {
	case n.Has(unix.CLONE_NEWUSER):
		plan.Unshare = n.New &^ (alone | unix.CLONE_NEWCGROUP) // the user namespace comes first, and must own them
	case plan.Alone != 0:
		plan.Unshare |= n.New & unix.CLONE_NEWPID // the first process of it must not fork and leave
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

// Owner opens the user namespace that owns a namespace (ioctl_ns(2)), if that is
// another one than the runtime's; else it returns nil.
func Owner(ns *os.File) (*os.File, error) {
	fd, err := unix.IoctlRetInt(int(ns.Fd()), unix.NS_GET_USERNS)
	if errors.Is(err, unix.EPERM) { // above the runtime's
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the user namespace of %q: %w", ns.Name(), err)
	}
	owner := os.NewFile(uintptr(fd), "user namespace")
	var mine, theirs unix.Stat_t
	err = unix.Stat("/proc/self/ns/user", &mine)
	if err == nil {
		err = unix.Fstat(fd, &theirs)
	}
	if err == nil && (mine.Dev != theirs.Dev || mine.Ino != theirs.Ino) {
		return owner, nil
	}
	return nil, errors.Join(err, owner.Close())
}

// EnterProcess queues the joining of a container's namespaces, all at once, by
// a pidfd of its first process (Linux 5.8).
func EnterProcess(p *stub.Proc, pidfd *stub.Value, n config.Namespaces) {
	flags := n.New
	for _, ns := range n.Join {
		flags |= ns.Type
	}
	if flags != 0 { // EINVAL
		p.Setns(pidfd, flags)
	}
}
