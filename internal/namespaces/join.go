package namespaces

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// joined is the joining of namespaces by path.
type joined struct {
	list []attempt
}

// attempt is the joining of one namespace, tried once or twice.
type attempt struct {
	config.Namespace
	fd    *stub.Value
	tries []*stub.Value
}

// Join queues the calls that join the plan's namespaces. All paths are opened
// before the first namespace is joined.
//
// Before the user namespace is entered, the stub has the runtime's rights over
// namespaces that are not the user namespace's own; behind it, an unprivileged
// user has rights over any for the first time. So, where there is one, all of
// the others are tried on either side of it. It suffices that one try succeeds.
func (plan *Plan) Join(p *stub.Proc) {
	j := new(joined)
	for _, ns := range plan.Paths {
		j.list = append(j.list, open(p, ns))
	}
	if plan.User == nil {
		for i := range j.list {
			j.list[i].enter(p)
			p.CloseFd(j.list[i].fd)
		}
		p.Label("")
		return
	}
	user := open(p, *plan.User)
	j.tryOthers(p)
	user.enter(p).Checked() // check returns the error
	j.tryOthers(p)
	// First, as it is the reason for what fails after it.
	j.list = append([]attempt{user}, j.list...)
	for _, a := range j.list {
		p.CloseFd(a.fd)
	}
	p.Label("")
	p.Check(j.check)
}

func open(p *stub.Proc, ns config.Namespace) attempt {
	p.Label("%s: %s", ns.Field, ns.Path)
	fd := p.Openat(stub.Num(unix.AT_FDCWD), ns.Path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	return attempt{Namespace: ns, fd: fd}
}

func (a *attempt) enter(p *stub.Proc) *stub.Value {
	p.Label("%s: %s", a.Field, a.Path)
	v := p.Setns(a.fd, a.Type)
	a.tries = append(a.tries, v)
	return v
}

func (j *joined) tryOthers(p *stub.Proc) {
	for i := range j.list {
		j.list[i].enter(p).Checked() // check wants one try to succeed
	}
}

// check returns, once the calls are done, the error of a namespace that could
// not be joined.
func (j *joined) check() error {
	for _, a := range j.list {
		if err := a.err(); err != nil {
			return config.FieldErrorf(a.Field, "join %q: %w%s", a.Path, err, a.remedy(err))
		}
	}
	return nil
}

// err is nil if one of the tries has succeeded.
func (a *attempt) err() error {
	errs := make([]error, len(a.tries))
	for i, v := range a.tries {
		errs[i] = v.Err()
	}
	if slices.Contains(errs, nil) {
		return nil
	}
	return errs[len(errs)-1]
}

// remedy tells what the kernel means (setns(2)).
func (a *attempt) remedy(err error) string {
	switch {
	case errors.Is(err, unix.EPERM):
		return " (needs CAP_SYS_ADMIN in the user namespace that owns it)"
	case errors.Is(err, unix.EINVAL) && a.Type == unix.CLONE_NEWUSER:
		return " (not a user namespace, or the runtime's own: leave it out then)"
	case errors.Is(err, unix.EINVAL) && a.Type == unix.CLONE_NEWPID:
		return " (not a pid namespace, or neither the runtime's own nor below it)"
	}
	return ""
}
