package arch

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var updateWords = flag.Bool("update-words", false, "lower the bounds in "+wordBounds)

// wordBounds has a line for each bound: the text, the word, the highest count.
// A word without a line may not be used in that text.
const wordBounds = "testdata/words.txt"

// unwanted lists words that make a sentence hard to read, each with what to write
// instead.
var unwanted = []struct{ word, pattern, instead string }{
	{"behind", `\bbehind\b`, "after"},
	{"beside", `\bbesides?\b`, "concurrently, while, in parallel with"},
	{"gives", `\b(gives?|gave|giving)\b`, "returns"},
	{"told", `\b(told|tells?|telling)\b`, "reports, logs, prints, says"},
	{"for want of", `\bfor want of\b|\b(runs?|ran|running) out\b`, "OOM-killed, out of memory"},
	{"in the place of", `\bin (the|its|their) place\b`, "instead of"},
	{"hole", `\bholes?\b`, "vulnerability"},
	{"who", `\b(who|whom|whoever|whose)\b`, "the caller, the runtime, the container, a process with CAP_X"},
	{"what (first)", `(?:^|[.!?] )(?-i:What(ever)?)\b[^.!?]*\.`, "the noun that the clause stands for"},
	{"is to be", `\b(is|are|was|were) to be\b`, "must"},
	{"is none", `\b(is|are|was|were|be) none\b|\bnone of (that|these|those|it)\b`, "does not exist, is not set"},
	{"first process", `\bfirst process\b`, "init, the container's init"},
	{"second stub", `\bsecond stub\b`, "the exec stub, the hook stub"},
	{"floor", `\b(floors?|houses?|rooms?)\b`, "layer, package"},
	{"verb", `\bverbs?\b`, "operation, step set, subcommand"},
}

// countWords returns how often each unwanted word is in a text, by PLACE: WORD.
func countWords(place, text string) map[string]int {
	counts := map[string]int{}
	for _, u := range unwanted {
		if n := len(regexp.MustCompile(`(?im)`+u.pattern).FindAllString(text, -1)); n > 0 {
			counts[place+": "+u.word] = n
		}
	}
	return counts
}

// readBounds reads lines of "PLACE: WORD COUNT".
func readBounds(text []byte) (map[string]int, error) {
	bounds := map[string]int{}
	for line := range bytes.Lines(text) {
		entry := strings.TrimSpace(string(line))
		i := strings.LastIndexByte(entry, ' ')
		if i < 0 {
			return nil, fmt.Errorf("no count: %q", entry)
		}
		n, err := strconv.Atoi(entry[i+1:])
		if err != nil {
			return nil, err
		}
		bounds[entry[:i]] = n
	}
	return bounds, nil
}

// Bounds only shrink: an edited text loses such words and gets no new ones. With -v
// the test prints a table of all counts.
func TestWords(t *testing.T) {
	text, err := os.ReadFile(wordBounds)
	if err != nil {
		t.Fatal(err)
	}
	bounds, err := readBounds(text)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, r := range readers {
		text, err := r.read()
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(counts, countWords(r.place, text))
	}
	for _, u := range unwanted {
		for _, r := range readers {
			key := r.place + ": " + u.word
			if counts[key] > bounds[key] {
				t.Errorf("%s: %d times; at most %d are allowed; write %q instead", key, counts[key], bounds[key], u.instead)
			}
		}
	}
	t.Log("\n" + wordTable(counts))
	if *updateWords {
		writeBounds(t, bounds, counts)
	}
}

// wordTable returns the counts as a Markdown table: a row for each text, a column
// for each word, and the sums.
func wordTable(counts map[string]int) string {
	var out strings.Builder
	row := func(place string, cell func(word string) int) {
		sum := 0
		fmt.Fprintf(&out, "| %s |", place)
		for _, u := range unwanted {
			n := cell(u.word)
			sum += n
			fmt.Fprintf(&out, " %d |", n)
		}
		fmt.Fprintf(&out, " %d |\n", sum)
	}
	out.WriteString("| text |")
	for _, u := range unwanted {
		fmt.Fprintf(&out, " %s |", u.word)
	}
	out.WriteString(" sum |\n|" + strings.Repeat("---|", len(unwanted)+2) + "\n")
	for _, r := range readers {
		row(r.place, func(word string) int { return counts[r.place+": "+word] })
	}
	row("sum", func(word string) int {
		sum := 0
		for _, r := range readers {
			sum += counts[r.place+": "+word]
		}
		return sum
	})
	return out.String()
}

// writeBounds lowers the bounds to the counts.
func writeBounds(t *testing.T, bounds, counts map[string]int) {
	t.Helper()
	var out bytes.Buffer
	for _, key := range slices.Sorted(maps.Keys(bounds)) {
		if n := min(bounds[key], counts[key]); n > 0 {
			fmt.Fprintf(&out, "%s %d\n", key, n)
		}
	}
	if err := os.WriteFile(wordBounds, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCountWords(t *testing.T) {
	const text = "Who has told whom? There is none behind the hole, in its place a behindness. What is it? What is, is.\n"
	want := map[string]int{
		"x: who": 2, "x: told": 1, "x: is none": 1, "x: behind": 1, "x: hole": 1, "x: in the place of": 1, "x: what (first)": 1,
	}
	if got := countWords("x", text); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
