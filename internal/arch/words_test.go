package arch

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var updateWords = flag.Bool("update-words", false, "lower the bounds in "+wordBounds)

// wordBounds has a line for each bound: where, word, how often at most. A word
// that is not listed may not be used there.
const wordBounds = "testdata/words.txt"

// unwanted are words that have to be read twice, each with what to write instead.
var unwanted = []struct{ word, pattern, instead string }{
	{"behind", `\bbehind\b`, "after"},
	{"beside", `\bbeside\b`, "concurrently, in parallel with"},
	{"gives", `\b(gives?|giving)\b`, "returns"},
	{"told", `\b(told|tells?|telling)\b`, "reports, logs, prints, says"},
	{"for want of", `\bfor want of\b|\b(runs?|ran) out\b`, "OOM-killed, out of"},
	{"in the place of", `\bin the place of\b|\bin its place\b`, "instead of"},
	{"hole", `\bholes?\b`, "vulnerability"},
	{"who", `\b(who|whom|whoever|whose)\b`, "the caller, the runtime, the container, a process with CAP_X"},
	{"is to be", `\b(is|are|was|were) to be\b`, "must"},
	{"is none", `\b(is|are|was|were|be) none\b|\bnone of (that|these|those|it)\b`, "does not exist, is not set"},
	{"first process", `\bfirst process\b`, "init"},
	{"second stub", `\bsecond stub\b`, "the exec stub, the hook stub"},
	{"floor", `\b(floors?|houses?|rooms?)\b`, "layer, package"},
	{"verb", `\bverbs?\b`, "operation, step set, subcommand"},
}

// readers are the texts in which words are counted, by the name that bounds have
// for them.
var readers = map[string]func() (string, error){
	"cmd/runtime":  func() (string, error) { return literals("cmd/runtime") },
	"runtime":      func() (string, error) { return literals("runtime") },
	"libcontainer": func() (string, error) { return literals("libcontainer") },
	"specconv":     func() (string, error) { return literals("specconv") },
	"seccomp":      func() (string, error) { return literals("seccomp") },
	"internal":     func() (string, error) { return literals("internal/sys", "internal/probe", "internal/mountinfo") },
	"man page":     func() (string, error) { return file("docs/man/berth.8") },
}

// file returns the text of a file of the checkout.
func file(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, name))
	return string(text), err
}

// literals returns all string literals, a line each, of the Go files below
// directories that are no tests.
func literals(dirs ...string) (string, error) {
	var all strings.Builder
	for _, dir := range dirs {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return literalsOf(&all, path)
		})
		if err != nil {
			return "", err
		}
	}
	return all.String(), nil
}

func literalsOf(out *strings.Builder, path string) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				out.WriteString(text + "\n")
			}
		}
		return true
	})
	return nil
}

// countWords returns how often each unwanted word is in a text, by PLACE: WORD.
func countWords(place, text string) map[string]int {
	counts := map[string]int{}
	for _, u := range unwanted {
		if n := len(regexp.MustCompile(`(?i)`+u.pattern).FindAllString(text, -1)); n > 0 {
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

// Bounds only shrink: a text that is touched loses such words, and gets none.
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
	for place, read := range readers {
		text, err := read()
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(counts, countWords(place, text))
	}
	for _, u := range unwanted {
		for place := range readers {
			key := place + ": " + u.word
			if counts[key] > bounds[key] {
				t.Errorf("%s: %d times, and %d were allowed: write %q instead", key, counts[key], bounds[key], u.instead)
			}
		}
	}
	if *updateWords {
		writeBounds(t, bounds, counts)
	}
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
	const text = "Who has told whom? There is none behind the hole, in its place a behindness.\n"
	want := map[string]int{"x: who": 2, "x: told": 1, "x: is none": 1, "x: behind": 1, "x: hole": 1, "x: in the place of": 1}
	if got := countWords("x", text); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
