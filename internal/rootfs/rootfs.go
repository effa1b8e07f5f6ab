// Package rootfs builds a container's root file system. A plan is a list of
// operations, made from the configuration alone; a Tree performs them through a
// stub.
//
// The stub opens the root once and resolves every path of the container from
// that descriptor with openat2(RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS). It then
// uses only descriptors. So no mount can leave the root, even if the image is
// full of hostile links or another process changes it meanwhile.
package rootfs

import (
	"errors"
	"maps"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Op is one operation of a plan. It is either queued or interactive.
type Op interface {
	// String describes the operation in the terms of config.json.
	String() string
}

// queued is an operation that knows its calls in advance. One batch can hold many
// of them.
type queued interface {
	Op
	// Apply queues the calls.
	Apply(t *Tree)
}

// interactive is an operation that needs results of earlier calls.
type interactive interface {
	Op
	// Perform performs it. The queue is empty when it begins.
	Perform(t *Tree) error
}

// Tree is the root file system of a container, during its setup.
type Tree struct {
	p     *stub.Proc
	child *stub.Child
	// root is the container's "/", null is the host's /dev/null.
	root *stub.Value
	null *stub.Value
	// at is root.path on the host, for a root in a shared mount namespace.
	at *stub.Value
	// added are the mounts added to an existing container, for undo; nil in
	// create.
	added *[]*stub.Stat
	// held are the mounts of procfs and sysfs, by destination. Later operations
	// below them, mainly masking, start from these descriptors, in case another
	// process has moved the mount point.
	held map[string]*stub.Value

	// lastMade is the last operation that got its missing path made.
	lastMade Op
	// sources are the results of StatSources.
	sources map[source]statResult
	// owners are the user namespaces for ID-mapped mounts, by mapping.
	owners map[string]*os.File
}

// Run performs the queued calls and then the plan.
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
		// The mounts after the failure are not held.
		maps.DeleteFunc(t.held, func(_ string, fd *stub.Value) bool { return fd.Err() != nil })
		plan = plan[done:]
		if plan[0], err = t.recover(plan[0], err); err != nil {
			return err
		}
	}
	return nil
}

// runSome performs the beginning of a plan and returns how many operations
// succeeded, or -1 with an error that does not belong to one of them.
func (t *Tree) runSome(plan []Op) (int, error) {
	if op, ok := plan[0].(interactive); ok {
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

// recover handles the failure of an operation, which is rare. It returns the
// operation to perform now, or the error.
func (t *Tree) recover(op Op, err error) (Op, error) {
	made, err := t.makeMissing(op, err)
	if made {
		return op, nil
	}
	if b, ok := op.(interface{ passSource(*Tree, error) bool }); ok && b.passSource(t, err) {
		return op, nil
	}
	if e, ok := op.(interface{ explain(*Tree, error) error }); ok {
		err = e.explain(t, err)
	}
	if o, ok := op.(interface{ fallback(error) Op }); ok {
		if other := o.fallback(err); other != nil {
			return other, nil
		}
	}
	if f, ok := op.(interface{ field() string }); ok && f.field() != "" && !errors.Is(err, stub.ErrGone) {
		err = config.InField(f.field(), err)
	}
	return op, err
}

// queueSome queues the plan up to an interactive operation, and returns the
// index of each operation's first call.
func (t *Tree) queueSome(plan []Op) []int {
	var starts []int
	for _, op := range plan {
		_, isInteractive := op.(interactive)
		q, ok := op.(queued)
		if isInteractive || !ok || t.p.Failed() {
			break
		}
		starts = append(starts, t.p.Len())
		t.p.Label("%s", q)
		q.Apply(t)
		t.p.Label("")
	}
	return starts
}

// failedOp returns the index of the operation that failed with err, or -1.
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

// open queues the open of a path of the container with O_PATH.
func (t *Tree) open(path string, flags int) *stub.Value {
	dir, path := t.from(path)
	return t.p.OpenInRoot(dir, path, unix.O_PATH|flags)
}

// from returns the directory from which a path of the container is resolved,
// and the path relative to it.
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

// hold stores the descriptor of a mount in held.
func (t *Tree) hold(at string, fd *stub.Value) {
	if t.held == nil {
		t.held = map[string]*stub.Value{}
	}
	t.held[at] = fd
}

// Release closes the files that were opened in this process.
func (t *Tree) Release() {
	for _, f := range t.owners {
		f.Close()
	}
}
