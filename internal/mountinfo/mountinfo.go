// Package mountinfo reads what is mounted where this process is
// (proc_pid_mountinfo(5)). With many mounts that takes long: it is for what is
// rare.
package mountinfo

import (
	"os"
	"strconv"
	"strings"
)

// Mount is a line of mountinfo.
type Mount struct {
	// ID of the mount, and that of the one that it lies on.
	ID, Parent string
	// Device of the file system: "MAJOR:MINOR".
	Device string
	// Point is where it is mounted, as this process sees it.
	Point string
	// Type of the file system.
	Type string
}

// Read gives all mounts, in an order that says nothing but which of those at
// one point is on top: the last.
func Read() ([]Mount, error) { return Of("self") }

// Of is Read for where another process is, as that one sees it; process is its
// name in /proc.
func Of(process string) ([]Mount, error) {
	text, err := os.ReadFile("/proc/" + process + "/mountinfo")
	return Parse(string(text)), err
}

// Parse reads the text of a mountinfo; what is no line of one is left out.
func Parse(text string) []Mount {
	var list []Mount
	for line := range strings.Lines(text) {
		mount, filesystem, _ := strings.Cut(line, " - ")
		f, kind := strings.Fields(mount), strings.Fields(filesystem)
		if len(f) < 5 || len(kind) == 0 {
			continue
		}
		list = append(list, Mount{ID: f[0], Parent: f[1], Device: f[2], Point: unescape(f[4]), Type: kind[0]})
	}
	return list
}

// unescape reads the octal numbers that stand for blanks and backslashes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
