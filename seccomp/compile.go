package seccomp

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	unix "github.com/berth-oci/berth/internal/abi"
)

// Results without a rule: for calls that are newer than the profile, and for
// those of an architecture that is not in it.
const (
	actNewer   = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	actForeign = unix.SECCOMP_RET_KILL_THREAD
)

// clause is a rule on one call: conditions, all of which must hold, and the
// action.
type clause struct {
	arch   *arch
	conds  []specs.LinuxSeccompArg
	action uint32
}

// verdict is the decision about calls: an action or, if chain is not empty, the
// action of the first of its clauses that matches.
type verdict struct {
	action uint32
	// chain has indices of clauses, four bytes each, as a string because that
	// is comparable.
	chain string
}

// span is a verdict on the calls from a number up to the next span.
type span struct {
	from uint32
	verdict
}

// compiler compiles one profile.
type compiler struct {
	*profile
	*assembler
	// unlisted is the action for calls without a rule, foreign that for
	// architectures that are not in the profile.
	unlisted, foreign verdict

	calls   [][]*call // of each rule
	clauses []clause
	conds   []specs.LinuxSeccompArg // buffer for those of shared calls
	// blocks are the written chains, searches the written searches by their
	// targets.
	blocks, searches map[string]label
	single           map[singleKey]label
	// most is an element of leafSizes.
	most int
}

// build returns the filter of a profile: for every architecture, a tree of
// comparisons over the call numbers. If the filter is too long, it returns the
// shortest possible one, at once if it is several times too long.
func build(p *profile) (program []unix.SockFilter) {
	for i, most := range leafSizes {
		if len(program) > 4*instructionsMost && i < len(leafSizes)-1 {
			continue
		}
		c := newCompiler(p, most)
		c.unlisted, c.foreign = verdict{action: p.def}, verdict{action: actForeign}
		c.write()
		if program = c.program(); len(program) <= instructionsMost {
			break
		}
	}
	return program
}

func newCompiler(p *profile, most int) *compiler {
	c := &compiler{
		profile: p, assembler: newAssembler(), most: most,
		blocks: map[string]label{}, searches: map[string]label{}, single: map[singleKey]label{},
	}
	c.resolve()
	return c
}

// write writes the whole program.
func (c *compiler) write() {
	next := c.leaf(c.foreign)
	type section struct {
		audit uint32
		at    label
	}
	var sections []section
	for i, a := range slices.Backward(c.arches) { // the native one last, so that the program reaches it first
		if !slices.ContainsFunc(c.arches[:i], func(b *arch) bool { return a.audit == b.audit }) {
			sections = append(sections, section{a.audit, c.load(offNumber, c.tree(c.section(a.audit)))})
		}
	}
	for _, s := range sections {
		next = c.branch(unix.BPF_JEQ, s.audit, s.at, next)
	}
	c.load(offArch, next)
}

// resolve finds the system calls that the rules name.
func (c *compiler) resolve() {
	c.calls = make([][]*call, len(c.rules))
	for i := range c.rules {
		for _, name := range c.rules[i].names {
			if known := lookUpCall(name); known != nil {
				c.calls[i] = append(c.calls[i], known)
			}
		}
	}
}

// section returns the verdicts on all calls of an audit architecture.
func (c *compiler) section(audit uint32) []span {
	var list []span
	for _, a := range c.arches {
		if a.audit == audit && a.bit == 0 {
			list = c.spans(list, a)
		}
	}
	if audit != unix.AUDIT_ARCH_X86_64 {
		return list
	}
	if list == nil {
		list = add(list, 0, c.foreign)
	}
	x32 := slices.IndexFunc(c.arches, func(a *arch) bool { return a.bit == x32Bit })
	if x32 >= 0 {
		list = c.spans(list, c.arches[x32])
	} else {
		list = add(list, x32Bit, c.foreign)
	}
	// The number of a call that a tracer has skipped.
	return add(list, 0xffffffff, c.unlisted)
}

// add appends a span.
func add(list []span, from uint32, v verdict) []span {
	if n := len(list); n > 0 && list[n-1].from == from {
		list = list[:n-1]
	}
	if n := len(list); n > 0 && list[n-1].verdict == v {
		return list
	}
	return append(list, span{from, v})
}

// spans adds the verdicts on the calls of an architecture.
func (c *compiler) spans(list []span, a *arch) []span {
	list = add(list, a.bit, c.unlisted)
	keys, newest := c.collect(a)
	numbers, privates := keys, keys[len(keys):]
	if i, _ := slices.BinarySearch(keys, privateBase<<32); i < len(keys) {
		numbers, privates = keys[:i], keys[i:]
	}
	list = c.addCalls(list, a, numbers)
	if c.hidesNewer(newest) {
		list = add(list, a.bit|uint32(newest+1), verdict{action: actNewer})
		if a.column == colARM {
			list = add(list, privateBase, c.unlisted)
		}
	}
	return c.addCalls(list, a, privates)
}

// addCalls adds the verdicts on single calls. keys has their numbers and
// clauses, sorted.
func (c *compiler) addCalls(list []span, a *arch, keys []uint64) []span {
	for len(keys) > 0 {
		number := uint32(keys[0] >> 32)
		n := 1
		for n < len(keys) && uint32(keys[n]>>32) == number {
			n++
		}
		list = add(list, a.bit|number, c.judge(keys[:n]))
		list = add(list, a.bit|(number+1), c.unlisted)
		keys = keys[n:]
	}
	return list
}

// collect returns keys: in the upper half the number, without the
// architecture's bit, of a call that has a rule, in the lower half the clause;
// they are sorted. newest is the newest call that the profile names, -1 if it
// names none.
func (c *compiler) collect(a *arch) (keys []uint64, newest int) {
	newest = -1
	keys = make([]uint64, 0, 512)
	for i := range c.rules {
		first := len(c.clauses)
		if c.rules[i].action != c.def {
			for _, conds := range c.rules[i].alternatives {
				c.clauses = append(c.clauses, clause{a, a.significant(conds), c.rules[i].action})
			}
		}
		last := len(c.clauses)
		for _, known := range c.calls[i] {
			if number, ok := known.number(a); ok {
				if number < privateBase {
					newest = max(newest, int(number))
				}
				for k := first; k < last; k++ {
					keys = append(keys, uint64(number)<<32|uint64(k))
				}
			}
			if number, code, ok := a.throughShared(known.name); ok {
				newest = max(newest, int(number))
				if first != last {
					keys = append(keys, uint64(number)<<32|uint64(c.sharedClause(a, code, c.rules[i].action)))
				}
			}
		}
	}
	slices.Sort(keys)
	return keys, newest
}

// sharedClause returns the clause for socketcall(2) or ipc(2) of a rule on a
// call. It drops the conditions, because the arguments are in memory that the
// filter cannot read.
func (c *compiler) sharedClause(a *arch, code uint64, action uint32) int {
	if len(c.conds) == cap(c.conds) {
		c.conds = make([]specs.LinuxSeccompArg, 0, 64)
	}
	c.conds = append(c.conds, specs.LinuxSeccompArg{Index: 0, Value: code, Op: specs.OpEqualTo})
	n := len(c.conds)
	c.clauses = append(c.clauses, clause{a, c.conds[n-1 : n : n], action})
	return len(c.clauses) - 1
}

// hidesNewer reports whether calls newer than all that the profile names return
// ENOSYS: if they would be denied otherwise.
func (c *compiler) hidesNewer(newest int) bool {
	if newest < 0 {
		return false
	}
	switch c.def & unix.SECCOMP_RET_ACTION_FULL {
	case unix.SECCOMP_RET_ERRNO, unix.SECCOMP_RET_TRAP, unix.SECCOMP_RET_KILL_THREAD, unix.SECCOMP_RET_KILL_PROCESS:
		return true
	}
	return false
}

// judge returns the verdict on one call; the lower halves of keys are its
// clauses.
func (c *compiler) judge(keys []uint64) verdict {
	var few [16]uint32
	order := few[:0]
	for _, k := range keys {
		clause := &c.clauses[uint32(k)]
		if len(clause.conds) == 0 {
			return verdict{action: clause.action}
		}
		order = append(order, uint32(k))
	}
	slices.SortStableFunc(order, func(i, j uint32) int {
		return cmp.Compare(precedence(c.clauses[i].action), precedence(c.clauses[j].action))
	})
	chain := make([]byte, 0, 4*len(order))
	for _, i := range order {
		chain = binary.NativeEndian.AppendUint32(chain, i)
	}
	return verdict{chain: string(chain)}
}

// precedence is lowest for the action that the kernel prefers if several
// filters disagree (seccomp(2)): it compares them as signed numbers.
func precedence(action uint32) int32 { return int32(action & unix.SECCOMP_RET_ACTION_FULL) }

// tree writes the search for the span of a call.
func (c *compiler) tree(list []span) label {
	if len(list) == 1 {
		return c.leaf(list[0].verdict)
	}
	mid := len(list) / 2
	above := c.tree(list[mid:])
	below := c.tree(list[:mid])
	return c.branch(unix.BPF_JGE, list[mid].from, above, below)
}

func (c *compiler) leaf(v verdict) label {
	if v.chain != "" {
		return c.block(v.chain)
	}
	return c.ret(v.action)
}
