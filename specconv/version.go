package specconv

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
)

// checkVersion accepts every semantic version of major 1: minor versions only
// add properties, and the specification lets a runtime ignore unknown ones
// (config.md, Extensibility).
func checkVersion(version string) error {
	if version == "" {
		return missing("ociVersion", strconv.Quote(specs.Version)+" or another version of major 1")
	}
	major, ok := semver(version)
	if !ok {
		return fieldErr("ociVersion", "%s: not a semantic version (MAJOR.MINOR.PATCH, like %q)", config.Quote(version), specs.Version)
	}
	if major != "1" {
		return fieldErr("ociVersion", "%s: berth reads major version 1", config.Quote(version))
	}
	return nil
}

// semver returns the major version of a semantic version 2.0.0.
func semver(version string) (major string, ok bool) {
	version, build, hasBuild := strings.Cut(version, "+")
	core, pre, hasPre := strings.Cut(version, "-")
	if hasBuild && !identifiers(build) || hasPre && !identifiers(pre) {
		return "", false
	}
	parts := strings.Split(core, ".")
	if len(parts) != 3 {
		return "", false
	}
	for _, part := range parts {
		if part == "" || strings.Trim(part, "0123456789") != "" || len(part) > 1 && part[0] == '0' {
			return "", false
		}
	}
	return parts[0], true
}

// identifiers reports whether s is a list of identifiers with dots between.
func identifiers(s string) bool {
	for _, part := range strings.Split(s, ".") {
		if part == "" {
			return false
		}
		for _, c := range part {
			if !(c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
				return false
			}
		}
	}
	return true
}
