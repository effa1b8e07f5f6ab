package seccomp

import (
	"encoding/binary"
	"slices"

	unix "github.com/berth-oci/berth/internal/abi"
)

// choice is the target for the values from a number up to the next choice. A
// list of choices is sorted and begins at 0.
type choice struct {
	from uint64
	to   label
}

// word is a word of struct seccomp_data, with the significant bits in mask.
type word struct{ offset, mask uint32 }

const everyBit = 1<<32 - 1

// leafSizes are tried in turn until a filter fits the kernel's limit: the
// greatest number of values that are compared one after the other at the end of
// a search. Small leaves are fast; large ones need fewer instructions to divide
// them. With the last size, a value takes one instruction.
var leafSizes = [...]int{8, 32, 128, 256, 512, instructionsMost}

// choose writes the search for the value of an argument, with the significant
// bits in mask.
func (c *compiler) choose(o operand, mask uint64, list []choice) label {
	low := word{o.low, uint32(mask)}
	if o.narrow || mask>>32 == 0 {
		if last := len(list) - 1; list[last].from > everyBit { // past the greatest low word
			list = list[:last]
		}
		return c.search(low, list)
	}
	highs := make([]choice, 0, 2)
	for i := 0; i < len(list); {
		high := list[i].from >> 32
		lows := make([]choice, 0, min(len(list)-i+1, 8))
		if uint32(list[i].from) != 0 {
			lows = append(lows, choice{0, list[i-1].to})
		}
		for ; i < len(list) && list[i].from>>32 == high; i++ {
			lows = append(lows, choice{list[i].from & everyBit, list[i].to})
		}
		highs = addChoice(highs, high, c.search(low, lows))
		if high != everyBit && (i == len(list) || list[i].from>>32 != high+1) {
			highs = addChoice(highs, high+1, list[i-1].to)
		}
	}
	return c.search(word{o.high, uint32(mask >> 32)}, highs)
}

// addChoice appends a choice, unless the last one has the same target.
func addChoice(list []choice, from uint64, to label) []choice {
	if n := len(list); n > 0 && list[n-1].to == to {
		return list
	}
	return append(list, choice{from, to})
}

// search writes the search for the value of a word, or returns one that is
// written already: architectures with arguments of 32 bits compare the same low
// words as those with 64 bits.
func (c *compiler) search(w word, list []choice) label {
	if len(list) == 1 || w.mask == 0 {
		return list[0].to
	}
	key := make([]byte, 0, 8+8*len(list))
	key = binary.NativeEndian.AppendUint32(key, w.offset)
	key = binary.NativeEndian.AppendUint32(key, w.mask)
	for _, choice := range list {
		key = binary.NativeEndian.AppendUint32(key, uint32(choice.from))
		key = binary.NativeEndian.AppendUint32(key, uint32(choice.to))
	}
	if l, ok := c.searches[string(key)]; ok {
		return l
	}
	l := c.divide(list, everyBit+1)
	if w.mask != everyBit {
		l = c.mask(w.mask, l)
	}
	l = c.load(w.offset, l)
	c.searches[string(key)] = l
	return l
}

// divide writes comparisons of a loaded word that is below end.
func (c *compiler) divide(list []choice, end uint64) label {
	if len(list) == 1 {
		return list[0].to
	}
	if singles, rest, ok := c.singles(list, end); ok {
		for _, s := range singles {
			rest = c.branch(unix.BPF_JEQ, uint32(s.from), s.to, rest)
		}
		return rest
	}
	mid := len(list) / 2
	above := c.divide(list[mid:], end)
	below := c.divide(list[:mid], list[mid].from)
	return c.branch(unix.BPF_JGE, uint32(list[mid].from), above, below)
}

// singles returns the choices for one value each, the last one first, and the
// target of all other values, if they have one target and the choices are few.
func (c *compiler) singles(list []choice, end uint64) (singles []choice, rest label, ok bool) {
	if len(list) > 2*c.most+1 {
		return nil, 0, false
	}
	rest = -1
	for _, next := range slices.Backward(list) {
		switch {
		case end-next.from == 1:
			singles = append(singles, next)
		case rest < 0:
			rest = next.to
		case rest != next.to:
			return nil, 0, false
		}
		end = next.from
	}
	if rest < 0 { // the first needs no comparison
		rest, singles = list[0].to, singles[:len(singles)-1]
	}
	return singles, rest, len(singles) <= c.most
}
