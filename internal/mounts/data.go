package mounts

import (
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// valueMax is the longest value that fsconfig(2) takes.
const valueMax = 255

// configure queues the setting of the superblock's flags and options.
func configure(p *stub.Proc, fs *stub.Value, m *config.Mount) {
	for _, f := range m.Flags {
		p.FsconfigFlag(fs, f)
	}
	for _, d := range m.Data {
		key, value, hasValue := strings.Cut(d, "=")
		switch {
		case !hasValue:
			p.FsconfigFlag(fs, key)
		case layered(m.Type, key, value):
			for layer := range strings.SplitSeq(value, ":") {
				p.FsconfigString(fs, "lowerdir+", layer)
			}
		default:
			p.FsconfigString(fs, key, unquote(value))
		}
	}
}

// layered reports whether a value is a list of overlay layers that is too long
// for one call and can be set layer by layer (lowerdir+, Linux 6.5). A list
// with data-only layers ("::") or a backslash cannot: lowerdir+ takes a
// backslash literally.
func layered(kind, key, value string) bool {
	return kind == "overlay" && key == "lowerdir" && len(value) > valueMax &&
		!strings.Contains(value, "::") && !strings.Contains(value, `\`)
}

// unquote removes the quotes around a value that contains commas: mount(8) and
// mount(2) need them, fsconfig(2) does not.
func unquote(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// fits reports whether an option is short enough for fsconfig(2).
func fits(kind, option string) bool {
	key, value, _ := strings.Cut(option, "=")
	if layered(kind, key, value) {
		for layer := range strings.SplitSeq(value, ":") {
			if len(layer) > valueMax {
				return false
			}
		}
		return true
	}
	return len(key) <= valueMax && len(value) <= valueMax
}
