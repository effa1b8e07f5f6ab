package passwd

import (
	"strings"
	"testing"
)

// search feeds a text in pieces of n bytes.
func search(uid uint32, text string, n int) string {
	s := SearchUID(uid)
	for len(text) > 0 {
		piece := text[:min(n, len(text))]
		text = text[len(piece):]
		if home, found := s.Feed([]byte(piece)); found {
			return home
		}
	}
	home, found := s.End()
	if !found {
		return "none"
	}
	return home
}

func TestSearch(t *testing.T) {
	long := strings.Repeat("x", longest)
	for _, test := range []struct {
		uid        uint32
		text, want string
	}{
		{0, "root:x:0:0:root:/root:/bin/sh\n", "/root"},
		{0, "root:x:0:0:root:/root:/bin/sh", "/root"},
		{0, "root:x:0:0:root:/root", "/root"},
		{1000, "root:x:0:0::/root:\nuser:x:1000:5::/home/user:/bin/sh\n", "/home/user"},
		{1000, "a:x:1000:5::/first:\nb:x:1000:5::/second:\n", "/first"},
		{1000, "a:x:01000:5::/zero:\n", "/zero"},
		{1000, "1000:x:0:0::/trap:/bin/sh\n", "none"},
		{4294967295, "a:x:4294967295:0::/max:\n", "/max"},
		{0, "a:x:4294967296:0::/wraps:\n", "none"},
		{0, "a:x:-0:0::/minus:\na:x:+0:0::/plus:\na:x: 0:0::/blank:\na:x:0x0:0::/hex:\na:x::0::/empty:\n", "none"},
		{0, "root:x:0:0:root\n#c\n\n::::\nroot:x:0:0::/there:\n", "/there"},
		{0, "root:x:0:0:::/bin/sh\n", "/"},
		{0, "root:x:0:0::root:/bin/sh\n", "/"},
		{0, "root:x:0:0::/a\x00b:/bin/sh\n", "/"},
		{0, long + ":x:0:0::/long:\nr:x:0:0::/short:\n", "/short"},
		{0, long, "none"},
		{0, "", "none"},
	} {
		for _, n := range []int{1, 7, 4096, 1 << 20} {
			if got := search(test.uid, test.text, n); got != test.want {
				t.Errorf("uid %d in %.40q, %d bytes a piece: %q, want %q", test.uid, test.text, n, got, test.want)
			}
		}
	}
}

func FuzzSearch(f *testing.F) {
	f.Add(uint32(0), "root:x:0:0:root:/root:/bin/sh\n", 3)
	f.Fuzz(func(t *testing.T, uid uint32, text string, n int) {
		if n < 1 {
			return
		}
		whole := search(uid, text, len(text)+1)
		if pieces := search(uid, text, n); pieces != whole {
			t.Errorf("in pieces %q, whole %q", pieces, whole)
		}
		if whole != "none" && (whole[0] != '/' || strings.ContainsAny(whole, "\x00\n:")) {
			t.Errorf("home %q", whole)
		}
	})
}
