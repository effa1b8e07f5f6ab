package cgroupfs

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// FuzzReader reads a file of the kernel in all formats.
func FuzzReader(f *testing.F) {
	for _, text := range []string{
		"max\n", "12\n", "", "anon 4096\nfile 8192\n", "8:0 rbytes=1 wbytes=2\n252:3 rbytes=3\n", "0-3,7\n", "-1", "18446744073709551616",
		"some avg10=0.00 total=1\n", " \n=\n a=", "\x00",
	} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, read := range []func(*Reader){
			func(r *Reader) { r.Uint("file") },
			func(r *Reader) { r.Keyed("file") },
			func(r *Reader) { r.Table("file") },
			func(r *Reader) {
				if got := r.Text("file"); got != strings.TrimRight(text, "\n") {
					t.Errorf("%q was read as %q", text, got)
				}
			},
		} {
			r := &Reader{}
			if err := r.In(dir, read); err != nil && !strings.Contains(err.Error(), dir) {
				t.Errorf("%q: the error does not name the file: %v", text, err)
			}
		}
	})
}

// FuzzList compares the numbers of a list with a list of single numbers.
func FuzzList(f *testing.F) {
	f.Add("0-3,7\n")
	f.Add(",,1-1,65535-65535,0x1")
	f.Add("3-1")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "-") > 4 { // the longest are 65536 numbers each
			return
		}
		list, err := ParseList(text)
		if err != nil {
			return
		}
		var words []string
		for _, n := range list {
			words = append(words, strconv.Itoa(int(n)))
		}
		if again, err := ParseList(strings.Join(words, ",")); err != nil || !slices.Equal(again, list) {
			t.Errorf("%q: %v, in single numbers %v, %v", text, list, again, err)
		}
	})
}

// FuzzDevice compares a device with its text.
func FuzzDevice(f *testing.F) {
	f.Add("8:0")
	f.Add("-1:+2")
	f.Fuzz(func(t *testing.T, text string) {
		major, minor, ok := ParseDevice(text)
		if !ok {
			return
		}
		if again := strconv.FormatUint(major, 10) + ":" + strconv.FormatUint(minor, 10); again != text && !strings.Contains(text, "0") {
			t.Errorf("%q is read as %s", text, again)
		}
	})
}
