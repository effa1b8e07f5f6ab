package stub

// CheckError is the error of a function passed to Check.
type CheckError struct {
	// Step and Label are those under which the check was queued. Step is not in
	// the message: the caller adds it.
	Step  string
	Label string
	Err   error
}

// Error returns "LABEL: CAUSE".
func (e *CheckError) Error() string {
	if e.Label == "" {
		return e.Err.Error()
	}
	return e.Label + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *CheckError) Unwrap() error { return e.Err }

// check is a function that checks results of calls queued before it.
type check struct {
	step, label string
	at          int // the number of calls queued before it
	judge       func() error
}

// Check has judge called when the calls queued so far have been performed,
// before any call queued later is sent. Checks are called in order, until one
// fails. A check after a call that has failed is not called. A check may itself
// queue calls and Do them; they belong to the step and label of the check.
func (p *Proc) Check(judge func() error) {
	if p.err == nil {
		p.checks = append(p.checks, check{p.step, p.label, p.Len(), judge})
	}
}

// runChecks calls the checks on the calls before number reached, then restores
// the caller's step and label.
func (p *Proc) runChecks(checks []check, reached int) error {
	if len(checks) == 0 {
		return nil
	}
	step, label := p.step, p.label
	defer func() { p.step, p.label = step, label }()
	for _, c := range checks {
		if c.at > reached {
			break
		}
		p.step, p.label = c.step, c.label
		if err := c.judge(); err != nil {
			return &CheckError{c.step, c.label, err}
		}
	}
	return nil
}

// unseen is a failed call that a check must handle.
type unseen struct {
	op    op
	index int
}

// firstUnseen returns the first error that no check has asked for.
func (p *Proc) firstUnseen() error {
	list := p.unseen
	p.unseen = nil
	for i := range list {
		u := &list[i]
		if !u.op.value.seen {
			e := &Error{Errno: u.op.value.errno()}
			e.at(&u.op, u.index)
			return e
		}
	}
	return nil
}
