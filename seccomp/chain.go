package seccomp

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// subject is the key by which a clause is searched: an argument, with the
// significant bits in mask.
type subject struct {
	index uint // argsMost for a clause without conditions
	mask  uint64
}

// block writes the clauses of a chain.
func (c *compiler) block(chain string) label {
	if l, ok := c.blocks[chain]; ok {
		return l
	}
	list := make([]clause, 0, len(chain)/4)
	for i := 0; i < len(chain); i += 4 {
		list = append(list, c.clauses[binary.NativeEndian.Uint32([]byte(chain[i:]))])
	}
	l := c.first(list, c.ret(c.def))
	c.blocks[chain] = l
	return l
}

// first writes the search for the first clause of a list that matches. If no
// clause matches, the program continues at no.
func (c *compiler) first(list []clause, no label) label {
	if i := slices.IndexFunc(list, func(one clause) bool { return len(one.conds) == 0 }); i >= 0 {
		no, list = c.ret(list[i].action), list[:i]
	}
	if len(list) > 1 {
		gather(list)
	}
	for len(list) > 0 {
		last := len(list) - 1
		on := list[last].subject()
		begin := last
		for begin > 0 && on.index != argsMost && list[begin-1].subject() == on {
			begin--
		}
		if begin == last {
			no = c.plain(&list[last], no)
		} else {
			no = c.lookUp(on, list[begin:], no)
		}
		list = list[:begin]
	}
	return no
}

// gather sorts clauses by subject if their order does not matter: if they
// follow each other and have the same action.
func gather(list []clause) {
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].action == list[0].action {
			n++
		}
		slices.SortStableFunc(list[:n], func(a, b clause) int {
			x, y := a.subject(), b.subject()
			return cmp.Or(cmp.Compare(x.index, y.index), cmp.Compare(x.mask, y.mask))
		})
		list = list[n:]
	}
}

// subject returns the key for the search of a clause. A clause with several
// conditions has a key if one of them is an equality; the others are checked
// for each value.
func (one *clause) subject() subject {
	best := subject{index: argsMost}
	for i := range one.conds {
		arg := &one.conds[i]
		if arg.Index < best.index && (len(one.conds) == 1 || isEquality(arg.Op)) {
			best = subject{arg.Index, one.arch.maskOf(arg)}
		}
	}
	return best
}

func isEquality(op specs.LinuxSeccompOperator) bool {
	return op == specs.OpEqualTo || op == specs.OpMaskedEqual
}

// maskOf returns the bits of an argument that a comparison uses.
func (a *arch) maskOf(arg *specs.LinuxSeccompArg) uint64 {
	mask := uint64(1<<64 - 1)
	if arg.Op == specs.OpMaskedEqual {
		mask = arg.Value
	}
	return mask & a.greatest()
}

// greatest is the greatest value of an argument.
func (a *arch) greatest() uint64 {
	if a.narrow {
		return everyBit
	}
	return 1<<64 - 1
}

// singleKey is a clause of one condition, and the target if that does not hold.
type singleKey struct {
	arg         specs.LinuxSeccompArg
	narrow, big bool
	action      uint32
	no          label
}

// plain writes the conditions of one clause, except a single one that is
// written already.
func (c *compiler) plain(one *clause, no label) label {
	if len(one.conds) > 1 {
		return c.conditions(one, no)
	}
	key := singleKey{one.conds[0], one.arch.narrow, one.arch.big, one.action, no}
	l, ok := c.single[key]
	if !ok {
		l = c.conditions(one, no)
		c.single[key] = l
	}
	return l
}

func (c *compiler) conditions(one *clause, no label) label {
	yes := c.ret(one.action)
	for i := range slices.Backward(one.conds) {
		yes = c.condition(one.arch, &one.conds[i], yes, no)
	}
	return yes
}

// interval is the values from first to last.
type interval struct{ first, last uint64 }

// intervals returns the n intervals of values for which a comparison holds.
func (a *arch) intervals(arg *specs.LinuxSeccompArg) (list [2]interval, n int) {
	add := func(first, last uint64) {
		list[n] = interval{first, last}
		n++
	}
	greatest := a.greatest()
	v := arg.Value & greatest
	below := arg.Op == specs.OpNotEqual || arg.Op == specs.OpLessThan
	above := arg.Op == specs.OpNotEqual || arg.Op == specs.OpGreaterThan
	if below && v > 0 {
		add(0, v-1)
	}
	if above && v < greatest {
		add(v+1, greatest)
	}
	switch arg.Op {
	case specs.OpEqualTo:
		add(v, v)
	case specs.OpMaskedEqual:
		add(v&arg.ValueTwo, v&arg.ValueTwo)
	case specs.OpLessEqual:
		add(0, v)
	case specs.OpGreaterEqual:
		add(v, greatest)
	}
	return list, n
}

// lookUp writes the search for clauses of one subject, in their order. The
// clauses divide the values into intervals; each leads to the first clause that
// matches it.
func (c *compiler) lookUp(on subject, list []clause, no label) label {
	a := list[0].arch
	starts := make([]uint64, 1, 1+4*len(list))
	for i := range list {
		own, n := a.intervals(list[i].about(on.index))
		for _, in := range own[:n] {
			starts = append(starts, in.first)
			if in.last != a.greatest() {
				starts = append(starts, in.last+1)
			}
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	parts := newParts(starts)
	for i := range list {
		own, n := a.intervals(list[i].about(on.index))
		for _, in := range own[:n] {
			first, _ := slices.BinarySearch(starts, in.first)
			if len(list[i].conds) > 1 {
				parts.more(first, list[i].without(on.index))
			} else {
				parts.decide(first, in.last, list[i].action)
			}
		}
	}
	choices := make([]choice, 0, len(starts))
	for i, from := range starts {
		part, to := &parts.list[i], no
		if part.decided {
			to = c.ret(part.action)
		}
		if len(part.before) > 0 {
			to = c.first(part.before, to)
		}
		choices = addChoice(choices, from, to)
	}
	return c.choose(operandOf(a, on.index), on.mask, choices)
}

// about returns the condition on an argument.
func (one *clause) about(index uint) *specs.LinuxSeccompArg {
	return &one.conds[slices.IndexFunc(one.conds, func(arg specs.LinuxSeccompArg) bool { return arg.Index == index })]
}

// without returns the clause without its condition on an argument.
func (one *clause) without(index uint) clause {
	rest := slices.DeleteFunc(slices.Clone(one.conds), func(arg specs.LinuxSeccompArg) bool { return arg.Index == index })
	return clause{one.arch, rest, one.action}
}

// parts are the intervals between the values at which a clause begins or ends
// to match.
type parts struct {
	starts []uint64
	list   []part
}

// part has the clauses that match an interval, in their order.
type part struct {
	before  []clause // those with more conditions, before the first one without
	decided bool     // decided by a clause without more conditions, which has the action
	action  uint32
	next    int // the next undecided part, or a part before that
}

func newParts(starts []uint64) *parts {
	p := &parts{starts, make([]part, len(starts)+1)}
	for i := range p.list {
		p.list[i].next = i
	}
	return p
}

// open returns the first undecided part from i on. It shortens the path to it,
// so that many wide intervals take no quadratic time.
func (p *parts) open(i int) int {
	for p.list[i].next != i {
		p.list[i].next = p.list[p.list[i].next].next
		i = p.list[i].next
	}
	return i
}

// decide sets the action of the undecided parts up to a number.
func (p *parts) decide(first int, last uint64, action uint32) {
	for i := p.open(first); i < len(p.starts) && p.starts[i] <= last; i = p.open(i) {
		p.list[i].decided, p.list[i].action = true, action
		p.list[i].next = i + 1
	}
}

// more adds a clause that has more conditions.
func (p *parts) more(i int, one clause) {
	if part := &p.list[i]; !part.decided {
		part.before = append(part.before, one)
	}
}
