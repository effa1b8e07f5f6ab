package config

import (
	"strconv"
	"strings"
)

// quoteMax is the longest part of a value in an error, in bytes: errors are one
// line.
const quoteMax = 64

// Quote is %q for values from a file: it cuts a value of a megabyte.
func Quote(value string) string {
	if len(value) <= quoteMax {
		return strconv.Quote(value)
	}
	return strconv.Quote(value[:quoteMax]) + "..."
}

// briefMax is the longest message of an error, in bytes. Two paths of the greatest length, as in
// an error of a bind mount, fit.
const briefMax = 16 << 10

// Brief cuts the middle out of a message of more than 16 KiB: an error may quote a value of
// config.json, which can have megabytes, and engines keep the message.
func Brief(message string) string {
	if len(message) <= briefMax {
		return message
	}
	const end = briefMax / 4 // the cause
	begin, rest := message[:briefMax-end], message[len(message)-end:]
	cut := " [... " + strconv.Itoa(len(message)-briefMax) + " bytes ...] "
	return strings.ToValidUTF8(begin+cut+rest, "")
}

// few is the number of known names that an error lists.
const few = 9

// DidYouMean returns the end of an error about an unknown name: `; did you mean
// "rbind"?` with the most similar known name. If none is similar it lists all,
// `: want "a", "b" or "c"`, if they are few.
func DidYouMean(name string, known []string) string {
	best := ""
	if len(name) <= quoteMax {
		if best = beginning(name, known); best == "" {
			best = nearest(name, known)
		}
	}
	switch {
	case best != "":
		return "; did you mean " + strconv.Quote(best) + "?"
	case len(known) == 0 || len(known) > few:
		return ""
	}
	return ": want " + OneOf(known)
}

// OneOf lists names: `"a", "b" or "c"`. If there are too many it returns the
// first as an example.
func OneOf(names []string) string {
	if len(names) > few {
		return "a name like " + strconv.Quote(names[0])
	}
	var list strings.Builder
	for i, name := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			list.WriteString(" or ")
		default:
			list.WriteString(", ")
		}
		list.WriteString(strconv.Quote(name))
	}
	return list.String()
}

// beginning returns the only known name that begins with name: "network" for
// "net".
func beginning(name string, known []string) string {
	found := ""
	for _, k := range known {
		if len(name) < 3 || !strings.HasPrefix(k, name) {
			continue
		}
		if found != "" {
			return ""
		}
		found = k
	}
	return found
}

// nearest returns the known name at a distance of one or two from name, if that
// keeps half of it.
func nearest(name string, known []string) string {
	best, bestAt := "", 3
	for _, k := range known {
		if strings.EqualFold(name, k) {
			return k
		}
		if d := distance(name, k); d < bestAt && d < len(k)/2+1 {
			best, bestAt = k, d
		}
	}
	return best
}

// distance is the number of single-byte changes from a to b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left, diagonal := i+1, row[0]
		row[0] = left
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			left = min(change, left+1, diagonal+1)
			row[j+1] = left
		}
	}
	return row[len(b)]
}
