// Package mountinfo reads the mounts of a process's mount namespace
// (proc_pid_mountinfo(5)). That is slow with many mounts; use it only in rare
// cases.
package mountinfo

import (
	"os"
	"strconv"
	"strings"
)

// Mount is a line of mountinfo.
type Mount struct {
	// ID of the mount, and of its parent mount.
	ID, Parent string
	// Device of the file system: "MAJOR:MINOR".
	Device string
	// Point is the mount point, as the process sees it.
	Point string
	// Type of the file system.
	Type string
}

// Read returns the mounts of this process. Of several mounts on one point, the
// last is on top; otherwise the order has no meaning.
func Read() ([]Mount, error) { return Of("self") }

// Of is Read for another process, named as in /proc.
func Of(process string) ([]Mount, error) {
	text, err := os.ReadFile("/proc/" + process + "/mountinfo")
	return Parse(string(text)), err
}

// Parse parses the text of mountinfo and skips malformed lines.
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

// unescape decodes the octal escapes of blanks and backslashes.
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
