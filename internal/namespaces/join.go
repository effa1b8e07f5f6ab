package namespaces

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// joined holds the setns(2) calls for namespaces joined by path.
type joined struct {
	list []attempt
}

// attempt is the joining of one namespace, tried once or twice.
type attempt struct {
	config.Namespace
	fd    *stub.Value
	tries []*stub.Value
}

// Join queues the calls that join the plan's namespaces. It opens all paths
// before it joins the first namespace.
//
// If the plan joins a user namespace, Join tries the others before it and again
// after it: before, the stub has the runtime's privileges over namespaces owned
// by other user namespaces; after, an unprivileged user has privileges over
// those that the user namespace owns. One successful try is enough.
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
	user.enter(p).Checked() // reported by check
	j.tryOthers(p)
	// The user namespace comes first: its failure causes those after it.
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
		j.list[i].enter(p).Checked() // check requires one successful try
	}
}

// check returns the error of a namespace that was not joined, once the calls
// have been performed.
func (j *joined) check() error {
	for _, a := range j.list {
		if err := a.err(); err != nil {
			return config.FieldErrorf(a.Field, "join %q: %w%s", a.Path, err, a.remedy(err))
		}
	}
	return nil
}

// err returns nil if one try has succeeded, else the error of the last.
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

// remedy returns the likely cause of an error (setns(2)), in parentheses.
func (a *attempt) remedy(err error) string {
	switch {
	case errors.Is(err, unix.EPERM):
		return " (needs CAP_SYS_ADMIN in the user namespace that owns it)"
	case errors.Is(err, unix.EINVAL) && a.Type == unix.CLONE_NEWUSER:
		return " (not a user namespace, or the runtime's own: then remove the entry)"
	case errors.Is(err, unix.EINVAL) && a.Type == unix.CLONE_NEWPID:
		return " (not a pid namespace, or neither the runtime's own nor a descendant of it)"
	}
	return ""
}
