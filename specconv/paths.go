package specconv

import (
	"path/filepath"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
)

// text refuses a string that no system call accepts.
func text(field, value string) error {
	if strings.IndexByte(value, 0) >= 0 {
		return fieldErr(field, "%s: contains a NUL byte", config.Quote(value))
	}
	return nil
}

// absolute checks a path that must be absolute and returns it clean: without
// "." and "..", doubled and trailing slashes. It ignores that a component
// before ".." may be a symbolic link, because this package reads no file
// system.
func absolute(field, path string) (string, error) {
	switch {
	case path == "":
		return "", missing(field, "an absolute path")
	case path[0] != '/':
		return "", fieldErr(field, "%s: not an absolute path", config.Quote(path))
	}
	return filepath.Clean(path), text(field, path)
}

// inContainer checks a path in the container and returns it absolute and clean.
// A relative path is below "/" (config.md, Mounts).
func inContainer(field, path string) (string, error) {
	if path != "" && path[0] != '/' {
		path = "/" + path
	}
	return absolute(field, path)
}

// absolutes checks a list of absolute paths and returns it clean, each path once: with many
// mounts on one path, each further mount takes the kernel longer.
func absolutes(field string, paths []string) ([]string, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	clean, seen := make([]string, 0, len(paths)), make(map[string]bool, len(paths))
	for i, path := range paths {
		one, err := absolute(index(field, i), path)
		if err != nil {
			return nil, err
		}
		if !seen[one] {
			seen[one] = true
			clean = append(clean, one)
		}
	}
	return clean, nil
}

// noBundle refuses a relative path if Convert got no bundle.
func noBundle(field, path string) error {
	return fieldErr(field, "%s is relative, and there is no bundle", config.Quote(path))
}

// onHost checks a path on the host and returns it absolute and clean. A
// relative path is below the bundle.
func onHost(field, path, bundle string) (string, error) {
	if path == "" {
		return "", missing(field, "a path, absolute or below the bundle")
	}
	if err := text(field, path); err != nil {
		return "", err
	}
	if !filepath.IsAbs(path) && bundle == "" {
		return "", noBundle(field, path)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(bundle, path)
	}
	return filepath.Clean(path), nil
}
