// Package rootfs builds a container's root file system: a plan is a list of
// operations made from the configuration alone; a Tree queues them on a stub.
//
// The root is opened once. Every path of the container's is resolved from
// that descriptor with openat2(RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS), and what
// it leads to is used by descriptor, so an image that is full of hostile links,
// or changed by somebody meanwhile, cannot lead a mount out of the root.
package rootfs

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// Op is one operation of a plan.
type Op interface {
	// String says what the operation is, in the terms of config.json.
	String() string
	// Apply queues its calls.
	Apply(t *Tree)
}

// Tree is a root file system that is being built.
type Tree struct {
	p *stub.Proc
	// root is the container's "/", null the host's /dev/null.
	root *stub.Value
	null *stub.Value

	checks []check
	// lastWay is the operation that directories were made for last.
	lastWay Op
}

// check judges, after its batch, what the calls of an operation returned that
// were allowed to fail.
type check struct {
	op    Op
	first int // the operation's first call in the batch
	judge func() error
}

// opRoom is more than the calls that one operation queues.
const opRoom = 64

// Run performs a plan, and whatever was queued before it.
func (t *Tree) Run(plan []Op) error {
	for len(plan) > 0 {
		starts := t.queueSome(plan)
		err := t.Do()
		if err == nil {
			plan = plan[len(starts):]
			continue
		}
		failed := failedOp(err, starts)
		if failed < 0 {
			return err
		}
		// Rare: directories on the way to the destination are missing.
		plan = plan[failed:]
		if err := t.makeWay(plan[0], err); err != nil {
			return t.explain(plan[0], err)
		}
	}
	return nil
}

// explain adds what the operation can find out about its failure.
func (t *Tree) explain(op Op, err error) error {
	if e, ok := op.(interface{ explain(*Tree, error) error }); ok {
		return e.explain(t, err)
	}
	return err
}

// queueSome queues as much of the plan as a batch has room for and returns the
// index of each operation's first call.
func (t *Tree) queueSome(plan []Op) []int {
	var starts []int
	for _, op := range plan {
		if t.p.Room() < opRoom {
			break
		}
		starts = append(starts, t.p.Len())
		t.queue(op)
	}
	return starts
}

func (t *Tree) queue(op Op) {
	t.p.Label("%s", op)
	op.Apply(t)
	t.p.Label("")
}

// Queue queues a plan that is short and needs no answers; Do performs it.
func (t *Tree) Queue(plan []Op) {
	for _, op := range plan {
		t.queue(op)
	}
}

// Do performs what is queued and judges it.
func (t *Tree) Do() error {
	err := t.p.Do()
	checks := t.checks
	t.checks = nil
	reached := 1 << 30
	var call *stub.Error
	if errors.As(err, &call) {
		reached = call.Index
	}
	for _, c := range checks {
		if c.first >= reached {
			break
		}
		if e := c.judge(); e != nil {
			return fmt.Errorf("%s: %w", c.op, e)
		}
	}
	return err
}

// judgeLater has judge called when the batch is done, if it came to op.
func (t *Tree) judgeLater(op Op, judge func() error) {
	t.checks = append(t.checks, check{op: op, first: t.p.Len(), judge: judge})
}

// failedOp tells which operation the error belongs to, -1 if none.
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
	return t.p.OpenInRoot(t.root, path, unix.O_PATH|flags)
}
