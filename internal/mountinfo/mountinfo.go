// Package mountinfo reads the mounts of a process's mount namespace
// (proc_pid_mountinfo(5)). That is slow with many mounts; use it only in rare
// cases.
package mountinfo

import (
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/sys"
)

// Mount is a line of mountinfo.
type Mount struct {
	// ID of the mount, and of its parent mount.
	ID, Parent string
	// Device of the file system: "MAJOR:MINOR".
	Device string
	// Root is the directory or file of the file system that is mounted.
	Root string
	// Point is the mount point, as the process sees it.
	Point string
	// Options of the mount itself, e.g. "ro,nosuid".
	Options string
	// Type of the file system.
	Type string
}

// Read returns the mounts of this process. Of several mounts on one point, the
// last is on top; otherwise the order has no meaning.
func Read() ([]Mount, error) { return Of("self") }

// Of is Read for another process, named as in /proc.
func Of(process string) ([]Mount, error) {
	text, err := sys.ReadFile("/proc/" + process + "/mountinfo")
	return Parse(string(text)), err
}

// Parse parses the text of mountinfo and skips malformed lines.
func Parse(text string) []Mount {
	var list []Mount
	for line := range strings.Lines(text) {
		mount, filesystem, _ := strings.Cut(line, " - ")
		// Of white space, the kernel escapes blanks, tabs and newlines only.
		f := strings.Split(mount, " ")
		kind, _, _ := strings.Cut(filesystem, " ")
		if len(f) < 6 || strings.TrimSpace(kind) == "" {
			continue
		}
		list = append(list, Mount{
			ID: f[0], Parent: f[1], Device: f[2], Root: unescape(f[3]), Point: unescape(f[4]), Options: f[5], Type: kind,
		})
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
