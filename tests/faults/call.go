package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// call is a call that a process enters.
type call struct {
	kind kind
	callInfo
	args [6]uint64
	// shown are the arguments of the shape.
	shown []string
	// nth is its number among equal calls, from 1.
	nth int
}

// point names the call.
func (c *call) point() string {
	return fmt.Sprintf("%s %d", c.text(), c.nth)
}

func (c *call) text() string {
	return fmt.Sprintf("%s %s(%s)", c.kind, c.name, strings.Join(c.shown, ", "))
}

// hasEffect reports whether a kill here can leave something. All calls of a stub count:
// what they change is visible to others, or decides what later ones change.
func (c *call) hasEffect() bool {
	if c.kind == kindStub {
		return true
	}
	if c.name == "close" {
		return strings.HasPrefix(c.shown[0], "socket:")
	}
	return c.effect != nil && c.effect(c.args)
}

// describe returns the call that a thread enters, without its number.
func (t *tracer) describe(tid int, k kind, number int, args [6]uint64) *call {
	info, known := infos[number]
	if !known {
		info = callInfo{name: fmt.Sprintf("call-%d", number), effect: always}
	}
	c := &call{kind: k, callInfo: info, args: args}
	dir := ""
	for i, letter := range info.shape {
		switch letter {
		case 'a':
			dir = t.file(tid, args[i])
		case 'p':
			c.shown = append(c.shown, t.normal(below(dir, readString(tid, args[i]))))
			dir = ""
		case 'd':
			c.shown = append(c.shown, t.normal(t.file(tid, args[i])))
		case 'x':
			c.shown = append(c.shown, fmt.Sprintf("%#x", uint32(args[i])))
		}
	}
	return c
}

// below joins the path of a directory and a path.
func below(dir, p string) string {
	if dir == "" || strings.HasPrefix(p, "/") {
		return p
	}
	return path.Join(dir, p)
}

// file returns the path of a descriptor.
func (t *tracer) file(tid int, fd uint64) string {
	if int32(fd) == unix.AT_FDCWD {
		return ""
	}
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, int32(fd)))
	if err != nil {
		return "none"
	}
	return link
}

// replaced are the parts of paths that differ from run to run.
var replaced = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`\[\d+\]`), "[]"},
	{regexp.MustCompile(`/proc/\d+`), "/proc/PID"},
	{regexp.MustCompile(`^/\d+/`), "/PID/"}, // in the stub's own procfs
	{regexp.MustCompile(`/pts/\d+`), "/pts/N"},
	{regexp.MustCompile(`^/proc/self/fd/\d+`), "/proc/self/fd/N"},
	{regexp.MustCompile(`/#\d+ \(deleted\)`), "/#N (deleted)"}, // of O_TMPFILE
	{regexp.MustCompile(`\d{6,}`), "N"},
}

// normal replaces the parts of a path that differ from run to run.
func (t *tracer) normal(p string) string {
	for _, r := range t.replace {
		p = strings.ReplaceAll(p, r[0], r[1])
	}
	for _, r := range replaced {
		p = r.from.ReplaceAllString(p, r.to)
	}
	return p
}

// readString reads a string of a thread's memory: of 4095 bytes at most, up to an
// unreadable page.
func readString(tid int, at uint64) string {
	var text []byte
	for at != 0 && len(text) < 4095 {
		// Not over the end of a page: the next one may be absent.
		piece := make([]byte, 256-int(at%256))
		n, err := unix.ProcessVMReadv(tid, []unix.Iovec{{Base: &piece[0], Len: uint64(len(piece))}},
			[]unix.RemoteIovec{{Base: uintptr(at), Len: len(piece)}}, 0)
		if err != nil {
			break
		}
		if end := bytes.IndexByte(piece[:n], 0); end >= 0 {
			return string(append(text, piece[:end]...))
		}
		text = append(text, piece[:n]...)
		at += uint64(n)
	}
	return string(text)
}
