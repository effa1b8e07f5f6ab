// Package passwd looks a user's home directory up in the text of an image's
// /etc/passwd. The text is untrusted: nothing of it is believed but the one
// field, and that only if it is a path.
package passwd

import (
	"bytes"
	"strconv"
)

// NoHome is the home directory of users that have none.
const NoHome = "/"

// longest is how long a line may be; longer ones are passed over.
const longest = 8 << 10

// Search looks for a user in a file that comes in pieces.
type Search struct {
	uid  uint64
	line []byte // the beginning of a line whose end is yet to come
	skip bool   // that line is too long
}

// SearchUID begins to look for the first line with a numeric user id. A user
// whose name is that number is not meant (CVE-2016-3697).
func SearchUID(uid uint32) *Search { return &Search{uid: uint64(uid)} }

// Feed looks through the next piece, and reports whether the user was in it.
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

// End looks at what the last piece ended with, if that was not a newline.
func (s *Search) End() (home string, found bool) { return s.end() }

func (s *Search) add(part []byte) {
	if s.skip = s.skip || len(s.line)+len(part) > longest; !s.skip {
		s.line = append(s.line, part...)
	}
}

// end looks at a line that is whole.
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
