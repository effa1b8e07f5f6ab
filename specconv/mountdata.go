package specconv

import (
	"path/filepath"
	"strings"
)

// splitOption splits an option string at its commas like mount(8): not in
// double quotes (an SELinux context has commas) and not after a backslash
// (overlay's escape for a comma in a path). It drops empty options.
func splitOption(option string) []string {
	if strings.IndexByte(option, ',') < 0 {
		if option == "" {
			return nil
		}
		return []string{option}
	}
	var words []string
	add := func(word string) {
		if word != "" {
			words = append(words, word)
		}
	}
	quoted, start := false, 0
	for i := 0; i < len(option); i++ {
		switch option[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				add(option[start:i])
				start = i + 1
			}
		}
	}
	add(option[start:])
	return words
}

// layersMost is the kernel's OVL_MAX_STACK.
const layersMost = 500

// overlayPaths makes the paths in overlay's options absolute: relative ones are
// relative to the bundle, like the sources of bind mounts.
func overlayPaths(field string, data []string, bundle string) error {
	for i, word := range data {
		key, value, _ := strings.Cut(word, "=")
		var paths []string
		switch key {
		case "upperdir", "workdir":
			paths = []string{value}
		case "lowerdir":
			if paths = splitLayers(value); len(paths) > layersMost {
				return fieldErr(field, "%d directories in lowerdir, and the kernel takes %d", len(paths), layersMost)
			}
		default:
			continue
		}
		for k, path := range paths {
			if path == "" || filepath.IsAbs(path) {
				continue
			}
			if bundle == "" {
				return noBundle(field, path)
			}
			paths[k] = filepath.Join(bundle, path)
		}
		data[i] = key + "=" + strings.Join(paths, ":")
	}
	return nil
}

// splitLayers splits a list of lower directories at its colons. Two colons
// (before data-only layers) leave an empty element.
func splitLayers(list string) []string {
	var layers []string
	start := 0
	for i := 0; i < len(list); i++ {
		switch list[i] {
		case '\\':
			i++
		case ':':
			layers = append(layers, list[start:i])
			start = i + 1
		}
	}
	return append(layers, list[start:])
}
