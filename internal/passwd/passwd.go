// Package passwd looks up a user's home directory in the text of an image's
// /etc/passwd. The text is untrusted: only that field is used, and only if it
// is an absolute path.
package passwd

import (
	"bytes"
	"strconv"
)

// NoHome is the home directory of a user that has no valid one.
const NoHome = "/"

// longest is the maximum length in bytes of a line; longer lines are ignored.
const longest = 8 << 10

// Search looks for a user in a file that is read in pieces.
type Search struct {
	uid  uint64
	line []byte // the incomplete last line
	skip bool   // line is too long
}

// SearchUID starts a search for the first line with this numeric user ID. It
// does not match user names, even if they are numbers (CVE-2016-3697).
func SearchUID(uid uint32) *Search { return &Search{uid: uint64(uid)} }

// Feed searches the next piece and reports whether it has found the user.
func (s *Search) Feed(piece []byte) (home string, found bool) {
	for {
		line, rest, ended := bytes.Cut(piece, []byte("\n"))
		if s.add(line); !ended {
			return "", false
		}
		if home, found = s.end(); found {
			return home, true
		}
		piece = rest
	}
}

// End searches the last line, if it does not end with a newline.
func (s *Search) End() (home string, found bool) { return s.end() }

func (s *Search) add(part []byte) {
	if s.skip = s.skip || len(s.line)+len(part) > longest; !s.skip {
		s.line = append(s.line, part...)
	}
}

// end parses a complete line.
func (s *Search) end() (home string, found bool) {
	line, skip := s.line, s.skip
	s.line, s.skip = s.line[:0], false
	if skip {
		return "", false
	}
	// name:password:uid:gid:gecos:directory:shell (passwd(5))
	fields := bytes.Split(line, []byte(":"))
	if len(fields) < 6 {
		return "", false
	}
	uid, err := strconv.ParseUint(string(fields[2]), 10, 32)
	if err != nil || uid != s.uid {
		return "", false
	}
	home = string(fields[5])
	if home == "" || home[0] != '/' || bytes.IndexByte(fields[5], 0) >= 0 {
		home = NoHome
	}
	return home, true
}
