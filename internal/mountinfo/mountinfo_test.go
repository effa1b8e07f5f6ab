package mountinfo

import (
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	const text = `20 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw
23 20 0:5 / /a\040b\134c\011\012d rw - tmpfs tmpfs rw
24 20 0:6 /sub /\777\04 rw - fuse.x none rw
`
	want := []Mount{
		{"20", "1", "254:0", "/", "/", "rw,relatime", "ext4"},
		{"23", "20", "0:5", "/", "/a b\\c\t\nd", "rw", "tmpfs"},
		{"24", "20", "0:6", "/sub", `/\777\04`, "rw", "fuse.x"},
	}
	if got := Parse(text); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, text := range []string{"", "\n\n", "1 2 3", "1 2 0:1 / - tmpfs", "1 2 0:1 / /x rw", "1 2 0:1 / /x rw - "} {
		if got := Parse(text); len(got) != 0 {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestRead(t *testing.T) {
	list, err := Read()
	if err != nil || !slices.ContainsFunc(list, func(m Mount) bool { return m.Point == "/" }) {
		t.Errorf("%d mounts, none on /: %v", len(list), err)
	}
}
