package main

import (
	"golang.org/x/sys/unix"
)

// recording is a fault that does nothing: it records the points of a command.
type recording struct{ calls []*call }

func (r *recording) enter(c *call) action {
	r.calls = append(r.calls, c)
	return action{}
}

func (r *recording) leave(*call) action { return action{} }

// killing kills the process of a point: before its call or, if after is set, after it.
type killing struct {
	point   string
	after   bool
	reached bool
}

func (k *killing) enter(c *call) action { return k.at(c, false) }
func (k *killing) leave(c *call) action { return k.at(c, true) }

func (k *killing) at(c *call, after bool) action {
	if k.reached || after != k.after || c.point() != k.point {
		return action{}
	}
	k.reached = true
	return action{kill: true}
}

// failing makes the call of a point fail.
type failing struct {
	point   string
	errno   unix.Errno
	reached bool
}

func (f *failing) enter(c *call) action {
	if f.reached || c.point() != f.point {
		return action{}
	}
	f.reached = true
	return action{errno: f.errno}
}

func (f *failing) leave(*call) action { return action{} }

// lacking makes every call of a name fail.
type lacking struct {
	name    string
	errno   unix.Errno
	reached bool
}

func (l *lacking) enter(c *call) action {
	if c.name != l.name {
		return action{}
	}
	l.reached = true
	return action{errno: l.errno}
}

func (l *lacking) leave(*call) action { return action{} }
