package stub

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The debug log has two records for a call, both with its number (Error.Index):
// one when it is sent, one with its result unless that is 0. So the last record
// of a stub that hangs names its current call.

// slow is the time after which the log names the current call of a batch.
const slow = time.Second

// debugging reports whether calls are logged. Otherwise the log takes no time
// in a batch.
func (p *Proc) debugging() bool {
	return p.log != nil && p.log.Enabled(context.Background(), slog.LevelDebug)
}

// logSent logs the calls of a batch before the stub performs them. The caller
// calls the returned function when the stub has answered.
func (p *Proc) logSent() (answered func()) {
	if !p.debugging() {
		return func() {}
	}
	sent := make([]string, len(p.ops))
	for i := range p.ops {
		o := &p.ops[i]
		sent[i] = p.callID(o) + " " + o.name + "(" + p.showArgs(o) + ")"
		p.log.Debug(sent[i], p.attrs(o)...)
	}
	began := time.Now()
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		p.logSlow(sent, began, over)
	}()
	return func() {
		close(over)
		<-done
		p.log.Debug(fmt.Sprintf("%d of %d calls returned", p.returned(), len(p.ops)), took(began))
	}
}

// logSlow logs, again and again, the current call of a batch that takes long.
func (p *Proc) logSlow(sent []string, began time.Time, over <-chan struct{}) {
	for wait := slow; ; wait *= 2 {
		timer := time.NewTimer(wait)
		select {
		case <-over:
			timer.Stop()
			return
		case <-timer.C:
		}
		if i := p.returned(); i < len(sent) {
			o := &p.ops[i]
			p.log.Debug(sent[i]+" has not returned yet", append(p.attrs(o), took(began))...)
		}
	}
}

// returned counts the calls of the batch that have a result, up to the first
// without one.
func (p *Proc) returned() int {
	for i := range p.ops {
		if pending(p.mem.atomicRet(i).Load()) {
			return i
		}
	}
	return len(p.ops)
}

// logResult logs the result of a call.
func (p *Proc) logResult(o *op, ret int64) {
	if ret == 0 || !p.debugging() {
		return
	}
	p.log.Debug(p.callID(o)+" "+o.name+" = "+showResult(ret), p.attrs(o)...)
}

// callID is the number of a call among all of this driver's calls.
func (p *Proc) callID(o *op) string {
	return "#" + strconv.Itoa(p.base+o.value.index)
}

// attrs returns the step and the label of a call.
func (p *Proc) attrs(o *op) []any {
	var list []any
	if o.step != "" {
		list = append(list, "step", o.step)
	}
	if o.label != "" {
		list = append(list, "for", o.label)
	}
	return list
}

// took is the time since the batch was sent.
func took(began time.Time) slog.Attr {
	return slog.String("took", strconv.FormatFloat(time.Since(began).Seconds()*1000, 'f', 3, 64)+"ms")
}

func showResult(ret int64) string {
	if ret == retPending {
		return "?" // a successful execve does not return
	}
	if e := errnoOf(ret); e != 0 {
		return fmt.Sprintf("-1 %s (%s)", unix.ErrnoName(e), e.Error())
	}
	return strconv.FormatInt(ret, 10)
}
