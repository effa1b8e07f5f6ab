// Package rootfs builds a container's root file system: a plan is a list of
// operations made from the configuration alone; a Tree performs them by a stub.
//
// The root is opened once. Every path of the container's is resolved from
// that descriptor with openat2(RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS), and what
// it leads to is used by descriptor, so an image that is full of hostile links,
// or changed by somebody meanwhile, cannot lead a mount out of the root.
package rootfs

import (
	"errors"
	"maps"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// Op is one operation of a plan; it is also queued or asking.
type Op interface {
	// String says what the operation is, in the terms of config.json.
	String() string
}

// queued is an operation whose calls are known beforehand. Many of them are
// sent at once.
type queued interface {
	Op
	// Apply queues the calls.
	Apply(t *Tree)
}

// asking is an operation that needs answers in between.
type asking interface {
	Op
	// Perform performs it; nothing is queued when it begins.
	Perform(t *Tree) error
}

// Tree is a root file system that is being built.
type Tree struct {
	p     *stub.Proc
	child *stub.Child
	// root is the container's "/", null the host's /dev/null.
	root *stub.Value
	null *stub.Value
	// at is root.path on the host, below a root in a shared mount namespace.
	at *stub.Value
	// added are the mounts of a container that exists, for Undo; nil in create.
	added *[]*stub.Stat
	// held are the mounts of procfs and sysfs, by destination. What is done
	// below them later, above all hiding, is done there, wherever somebody
	// has moved the mount point to in the meantime.
	held map[string]*stub.Value

	// lastWay is the operation that directories were made for last.
	lastWay Op
	// sources says what the sources of bind mounts are, as the stub sees them.
	sources map[source]asked
	// owners are the user namespaces made for mappings of owners, by mapping.
	owners map[string]*os.File
}

// Run performs a plan, and whatever was queued before it.
func (t *Tree) Run(plan []Op) error {
	for len(plan) > 0 {
		done, err := t.runSome(plan)
		if err == nil {
			plan = plan[done:]
			continue
		}
		if done < 0 {
			return err
		}
		// Those that it did not come to are not held.
		maps.DeleteFunc(t.held, func(_ string, fd *stub.Value) bool { return fd.Err() != nil })
		plan = plan[done:]
		if plan[0], err = t.recover(plan[0], err); err != nil {
			return err
		}
	}
	return nil
}

// runSome performs the beginning of a plan and tells how many operations of it
// are done; with an error that is not about one of them, -1.
func (t *Tree) runSome(plan []Op) (int, error) {
	if op, ok := plan[0].(asking); ok {
		if err := t.p.Do(); err != nil {
			return -1, err
		}
		t.p.Label("%s", op)
		err := op.Perform(t)
		t.p.Label("")
		if err != nil {
			return 0, err
		}
		return 1, nil
	}
	starts := t.queueSome(plan)
	if err := t.p.Do(); err != nil {
		return failedOp(err, starts), err
	}
	return len(starts), nil
}

// recover finds another way after a failure: all rare. It gives what is to be
// performed now, or the error.
func (t *Tree) recover(op Op, err error) (Op, error) {
	made, err := t.makeWay(op, err)
	if made {
		return op, nil
	}
	if b, ok := op.(interface{ passSource(*Tree, error) bool }); ok && b.passSource(t, err) {
		return op, nil
	}
	if e, ok := op.(interface{ explain(*Tree, error) error }); ok {
		err = e.explain(t, err)
	}
	if o, ok := op.(interface{ instead(error) Op }); ok {
		if other := o.instead(err); other != nil {
			return other, nil
		}
	}
	return op, err
}

// queueSome queues the plan up to an operation that asks, and returns the number
// of each operation's first call.
func (t *Tree) queueSome(plan []Op) []int {
	var starts []int
	for _, op := range plan {
		_, asks := op.(asking)
		q, ok := op.(queued)
		if asks || !ok || t.p.Failed() {
			break
		}
		starts = append(starts, t.p.Len())
		t.p.Label("%s", q)
		q.Apply(t)
		t.p.Label("")
	}
	return starts
}

// failedOp returns which operation the error belongs to, -1 if none.
func failedOp(err error, starts []int) int {
	var call *stub.Error
	if !errors.As(err, &call) {
		return -1
	}
	for i := len(starts) - 1; i >= 0; i-- {
		if starts[i] <= call.Index {
			return i
		}
	}
	return -1
}

// open queues the opening of a path of the container's as O_PATH.
func (t *Tree) open(path string, flags int) *stub.Value {
	dir, path := t.from(path)
	return t.p.OpenInRoot(dir, path, unix.O_PATH|flags)
}

// from gives the directory that a path of the container's is resolved from,
// and the path as seen from there.
func (t *Tree) from(path string) (*stub.Value, string) {
	dir, best := t.root, ""
	for at, fd := range t.held {
		if (path == at || strings.HasPrefix(path, at+"/")) && len(at) > len(best) {
			dir, best = fd, at
		}
	}
	if path == best {
		return dir, "/"
	}
	return dir, path[len(best):]
}

// hold keeps the descriptor of a mount.
func (t *Tree) hold(at string, fd *stub.Value) {
	if t.held == nil {
		t.held = map[string]*stub.Value{}
	}
	t.held[at] = fd
}

// Release closes what the building has opened in this process.
func (t *Tree) Release() {
	for _, f := range t.owners {
		f.Close()
	}
}
