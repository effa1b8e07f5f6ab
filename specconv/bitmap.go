package specconv

import (
	"strconv"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// bitmap parses a list such as "0-3,7" (cpuset(7), List format) to a mask of
// 64-bit words, without words of zeros at the end. An empty list is nil. Every
// number must be less than most; what names the kind of numbers in errors.
func bitmap(field, what, list string, most int) ([]uint64, error) {
	if list == "" {
		return nil, nil
	}
	var words []uint64
	for part := range strings.SplitSeq(list, ",") {
		low, high, isRange := strings.Cut(part, "-")
		first, ok := small(low, most)
		last, okLast := first, true
		if isRange {
			last, okLast = small(high, most)
		}
		if !ok || !okLast {
			return nil, fieldErr(field, `%s: want %s numbers below %d as in "0-3,7"`, config.Quote(list), what, most)
		}
		if last < first {
			return nil, fieldErr(field, "%s: %s runs backwards", config.Quote(list), config.Quote(part))
		}
		words = setBits(words, first, last)
	}
	return words, nil
}

// setBits sets the bits first to last in words, a word at a time: a list may have millions of
// ranges.
func setBits(words []uint64, first, last int) []uint64 {
	if n := last/64 + 1 - len(words); n > 0 {
		words = append(words, make([]uint64, n)...)
	}
	from, to := uint64(1<<64-1)<<(first%64), uint64(1<<64-1)>>(63-last%64)
	if first/64 == last/64 {
		words[first/64] |= from & to
		return words
	}
	words[first/64] |= from
	for i := first/64 + 1; i < last/64; i++ {
		words[i] = 1<<64 - 1
	}
	words[last/64] |= to
	return words
}

// small parses a number of digits alone that is less than most.
func small(text string, most int) (int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n < most
}
