package config

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"rbind", "rbind", 0},
		{"rbnd", "rbind", 1},
		{"kitten", "sitting", 3},
		{"mnt", "mount", 2},
	} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d, want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"bind", "mount", "nosuid", "rbind", "ro", "rw", "silent"}
	const all = `: want "bind", "mount", "nosuid", "rbind", "ro", "rw" or "silent"`
	for _, test := range []struct{ name, want string }{
		{"rbnd", `; did you mean "rbind"?`},
		{"nosiud", `; did you mean "nosuid"?`},
		{"mnt", `; did you mean "mount"?`},
		{"r0", `; did you mean "ro"?`},
		{"nos", `; did you mean "nosuid"?`},
		{"RBIND", `; did you mean "rbind"?`},
		{"zz", all},
		{"size=1", all},
		{"", all},
		{"quite another word", all},
		{strings.Repeat("rbind", 1000), all},
	} {
		if got := DidYouMean(test.name, known); got != test.want {
			t.Errorf("DidYouMean(%q) = %q, want %q", test.name, got, test.want)
		}
	}
	many := append(known, "sync", "users", "verity")
	if got := DidYouMean("zz", many) + DidYouMean("zz", nil); got != "" {
		t.Errorf("DidYouMean of many, and of none: %q", got)
	}
	if got, want := OneOf(many), "a name like "+strconv.Quote(many[0]); got != want {
		t.Errorf("OneOf = %s, want %s", got, want)
	}
}

func TestQuote(t *testing.T) {
	if got := Quote("a\nb"); got != `"a\nb"` {
		t.Errorf("Quote = %s", got)
	}
	if got := Quote(strings.Repeat("x", 1<<20)); len(got) > 80 || !strings.HasSuffix(got, `"...`) {
		t.Errorf("Quote of a long value = %s", got)
	}
}

func TestFieldError(t *testing.T) {
	cause := errors.New("cause")
	for want, err := range map[string]error{
		"root.path: cause": &FieldError{Field: "root.path", Err: cause},
		"cause":            &FieldError{Err: cause},
	} {
		if err.Error() != want || !errors.Is(err, ErrInvalid) || !errors.Is(err, cause) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestBrief(t *testing.T) {
	for _, n := range []int{0, 1, briefMax} {
		if text := strings.Repeat("x", n); Brief(text) != text {
			t.Errorf("%d bytes were cut", n)
		}
	}
	// Characters of three bytes, cut within one.
	text := strings.Repeat("\u20ac", 1<<20) + " end"
	brief := Brief(text)
	if len(brief) > briefMax+40 || !strings.HasSuffix(brief, "\u20ac end") || !strings.Contains(brief, "\u20ac [... 3129348 bytes ...] \u20ac") || !utf8.ValidString(brief) {
		t.Errorf("%d bytes: %.100q", len(brief), brief)
	}
}
