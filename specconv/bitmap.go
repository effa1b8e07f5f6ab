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
			return nil, fieldErr(field, "%s: %q runs backwards", config.Quote(list), part)
		}
		for n := first; n <= last; n++ {
			for len(words) <= n/64 {
				words = append(words, 0)
			}
			words[n/64] |= 1 << (n % 64)
		}
	}
	return words, nil
}

// small parses a number of digits alone that is less than most.
func small(text string, most int) (int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n < most
}
