package copyup

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
)

// nameAt is where the name begins in struct linux_dirent64.
const nameAt = 19

// parseNames reads a getdents64(2) buffer, which a hostile container may have
// written.
func parseNames(list []byte) ([]string, error) {
	var names []string
	for len(list) > 0 {
		if len(list) < nameAt {
			return nil, errBadList
		}
		size := int(binary.NativeEndian.Uint16(list[16:]))
		if size <= nameAt || size > len(list) {
			return nil, errBadList
		}
		name, _, ended := bytes.Cut(list[nameAt:size], []byte{0})
		if !ended || len(name) == 0 || bytes.IndexByte(name, '/') >= 0 {
			return nil, errBadList
		}
		if s := string(name); s != "." && s != ".." {
			names = append(names, s)
		}
		list = list[size:]
	}
	return names, nil
}

var errBadList = errors.New("getdents64: malformed directory entries")

// parseXattrs splits a flistxattr(2) buffer into names.
func parseXattrs(list []byte) []string {
	return strings.FieldsFunc(string(list), func(r rune) bool { return r == 0 })
}
