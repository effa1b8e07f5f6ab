package stub

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Value is the result of a system call. A call queued after it may take it as
// an argument before it is known. If the call that makes it has failed, and may
// fail, the calls that take it are not performed: their error is ECANCELED.
type Value struct {
	p     *Proc
	gen   uint64
	index int
	n     int64
	// wide has the result of a call that has 64 bits on systems with 32, if it has succeeded.
	wide []byte
	// seen means that a check has called Err.
	seen bool
}

// Num is a known Value: a descriptor number, or unix.AT_FDCWD.
func Num(n int) *Value { return &Value{n: int64(n)} }

// Int returns the result, which is known after Do. It may be any number: a
// hostile process writes any result.
func (v *Value) Int() int { return int(v.n) }

// Int64 returns the result of a call that returns an offset, as Int.
func (v *Value) Int64() int64 {
	if v.wide != nil && v.n == 0 {
		return int64(binary.NativeEndian.Uint64(v.wide))
	}
	return v.n
}

// Of returns the part of buf that the call has filled according to its result:
// nothing if it failed, and never more than buf, whatever result a hostile
// process writes.
func (v *Value) Of(buf []byte) []byte {
	return buf[:max(0, min(v.n, int64(len(buf))))]
}

// Err returns the error of a call that was allowed to fail, nil if it did not.
// A call that was not performed has the error ECANCELED.
func (v *Value) Err() error {
	v.seen = true
	if e := v.errno(); e != 0 {
		return e
	}
	return nil
}

// errno is the call's errno, 0 if it has succeeded.
func (v *Value) errno() unix.Errno { return errnoOf(v.n) }

// maxTolerated is the greatest number of errnos of MayFail: a byte each.
const maxTolerated = 4

// MayFail lets the batch continue if the call fails with one of these errnos.
// Any other errno ends the batch, as without MayFail.
func (v *Value) MayFail(tolerated ...unix.Errno) *Value {
	o := v.op("MayFail")
	if o == nil {
		return v
	}
	if len(tolerated) == 0 || len(tolerated) > maxTolerated {
		v.p.fail(fmt.Errorf("%s may fail with %d errnos: want 1 to %d", o.name, len(tolerated), maxTolerated))
		return v
	}
	o.flags |= flagMayFail
	for i, e := range tolerated {
		o.tolerated |= uint32(uint8(e)) << (8 * i)
	}
	return v
}

// Checked lets the batch continue if the call fails. A function passed to Check
// before or after this must read the call's error with Err, and handle every
// errno. An error that no check has read is returned by Do.
func (v *Value) Checked() *Value {
	if o := v.op("Checked"); o != nil {
		o.flags |= flagMayFail
	}
	return v
}

// Remedy adds a hint about an errno to the error of the call.
func (v *Value) Remedy(remedy func(unix.Errno) string) *Value {
	if o := v.op("Remedy"); o != nil {
		o.remedy = remedy
	}
	return v
}

func (v *Value) flag(f uint32) *Value {
	if o := v.op("flag"); o != nil {
		o.flags |= f
	}
	return v
}

// op returns the operation of a call that was not sent yet; nil for one that
// was dropped because an earlier one has failed.
func (v *Value) op(caller string) *op {
	if v.queued() {
		return &v.p.ops[v.index]
	}
	if v.p != nil {
		v.p.fail(errors.New(caller + " of a call that was sent already"))
	}
	return nil
}

// queued reports whether the call is in the batch not yet sent.
func (v *Value) queued() bool { return v.p != nil && v.gen == v.p.gen }

// missing reports whether the result is known not to exist.
func (v *Value) missing() bool {
	if v.p == nil { // a number, or the result of a call that was not queued
		return v.n == retPending
	}
	return !v.queued() && v.errno() != 0
}

// errnoOf is the errno in a system call's result, 0 if it has succeeded.
func errnoOf(ret int64) unix.Errno {
	switch {
	case ret < 0 && ret >= -4095:
		return unix.Errno(-ret)
	case ret == retPending:
		return unix.ECANCELED
	}
	return 0
}
