package systemd

import (
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// The default slices.
const (
	systemSlice = "system.slice"
	userSlice   = "user.slice"
)

const (
	scopeSuffix = ".scope"
	sliceSuffix = ".slice"
	// maxUnitName is the longest unit name that systemd accepts
	// (UNIT_NAME_MAX).
	maxUnitName = 255
)

// place is the unit that linux.cgroupsPath names.
type place struct {
	unit  string // its name, with the suffix
	slice string // the slice it is in
	dir   string // its cgroup, relative to that of systemd: "/a.slice/a-b.scope"
}

// isSlice reports whether the unit is a slice, which is made without a process.
func (p place) isSlice() bool { return strings.HasSuffix(p.unit, sliceSuffix) }

// placeOf returns the unit for linux.cgroupsPath: "slice:prefix:name"; an empty
// one means "system.slice:berth:ID".
func placeOf(cgroupsPath, id string, user bool) (place, error) {
	if cgroupsPath == "" {
		cgroupsPath = ":berth:" + id
	}
	parts := strings.Split(cgroupsPath, ":")
	if len(parts) != 3 {
		return place{}, invalidPath("expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got %q instead", cgroupsPath)
	}
	p := place{slice: parts[0]}
	if p.slice == "" {
		p.slice = systemSlice
		if user {
			p.slice = userSlice
		}
	}
	dir, err := expandSlice(p.slice)
	if err != nil {
		return place{}, err
	}
	prefix, name := parts[1], parts[2]
	if strings.HasSuffix(name, sliceSuffix) {
		p.unit = name
		// systemd derives the parents of a slice from its name.
		p.dir, err = expandSlice(name)
		return p, err
	}
	if name == "" {
		return place{}, invalidPath("%q names no unit after the second \":\"", cgroupsPath)
	}
	p.unit = escape(prefix) + "-" + escape(name) + scopeSuffix
	if len(p.unit) > maxUnitName {
		return place{}, invalidPath("the unit's name %q is longer than %d bytes", p.unit, maxUnitName)
	}
	p.dir = path.Join(dir, p.unit)
	return p, nil
}

// expandSlice returns the cgroup of a slice: "a-b.slice" is in "a.slice"
// (systemd.slice(5)); "-.slice" is the root.
func expandSlice(slice string) (string, error) {
	name, ok := strings.CutSuffix(slice, sliceSuffix)
	if name == "-" {
		return "/", nil
	}
	words := strings.Split(name, "-")
	dir, prefix := "/", ""
	for _, word := range words {
		ok = ok && word != "" && escape(word) == word
		dir = path.Join(dir, prefix+word+sliceSuffix)
		prefix += word + "-"
	}
	if !ok || len(slice) > maxUnitName {
		return "", invalidPath("invalid slice name: %s", slice)
	}
	return dir, nil
}

// escape escapes the characters that a unit name cannot have like
// systemd-escape(1), but keeps "-".
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(`_.-\@`, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return b.String()
}

// invalidPath returns an error about linux.cgroupsPath.
func invalidPath(format string, args ...any) error {
	return fmt.Errorf("linux.cgroupsPath: %w: "+format, append([]any{unix.EINVAL}, args...)...)
}

// checkUnit refuses the name of a unit, from a saved state, that New cannot have
// made for the cgroup dir: the unit is stopped by its name. dir is empty if the
// cgroup is not known.
func checkUnit(name, dir string) error {
	ok := false
	if prefix, isScope := strings.CutSuffix(name, scopeSuffix); isScope {
		ok = strings.Contains(prefix, "-") && escape(name) == name && len(name) <= maxUnitName
	} else if slice, err := expandSlice(name); err == nil {
		ok = slice != "/"
	}
	if !ok || dir != "" && path.Base(dir) != name {
		return fmt.Errorf("use unit %q: %w (the saved name is not of a unit that berth made for the cgroup %q: the unit is not touched)", name, unix.EINVAL, dir)
	}
	return nil
}
