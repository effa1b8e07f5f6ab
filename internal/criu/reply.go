package criu

import "fmt"

// Kind is the type of a request and its reply (criu_req_type).
type Kind int64

const (
	Dump    Kind = 1
	Restore Kind = 2
	PreDump Kind = 4
	notify  Kind = 6
	version Kind = 10
)

// String returns the name that CRIU's clients print.
func (k Kind) String() string {
	switch k {
	case Dump:
		return "DUMP"
	case Restore:
		return "RESTORE"
	case PreDump:
		return "PRE_DUMP"
	case notify:
		return "NOTIFY"
	case version:
		return "VERSION"
	}
	return fmt.Sprint(int64(k))
}

// Version is the version of a CRIU.
type Version struct {
	Major, Minor, Sublevel int
}

func (v Version) String() string {
	s := fmt.Sprintf("%d.%d", v.Major, v.Minor)
	if v.Sublevel != 0 {
		s += fmt.Sprintf(".%d", v.Sublevel)
	}
	return s
}

// less reports whether v is older than w.
func (v Version) less(w Version) bool {
	return v.Major < w.Major || v.Major == w.Major && v.Minor < w.Minor
}

// reply is a message criu_resp.
type reply struct {
	kind    Kind
	success bool
	errno   int
	message string
	// script and pid are of a notification, or pid of the restored init.
	script  string
	pid     int
	version Version
}

// decode reads criu_resp; the numbers are those of rpc.proto.
func decode(b []byte) (r reply, err error) {
	err = each(b, func(field int, n int64, bytes []byte) error {
		switch field {
		case 1:
			r.kind = Kind(n)
		case 2:
			r.success = n != 0
		case 4: // criu_restore_resp
			return each(bytes, func(_ int, n int64, _ []byte) error {
				r.pid = int(n)
				return nil
			})
		case 5:
			return r.decodeNotification(bytes)
		case 7:
			r.errno = int(n)
		case 9:
			r.message = string(bytes)
		case 10:
			return r.decodeVersion(bytes)
		}
		return nil
	})
	return r, err
}

// decodeNotification reads criu_notify.
func (r *reply) decodeNotification(b []byte) error {
	return each(b, func(field int, n int64, bytes []byte) error {
		switch field {
		case 1:
			r.script = string(bytes)
		case 2:
			r.pid = int(n)
		}
		return nil
	})
}

// decodeVersion reads criu_version.
func (r *reply) decodeVersion(b []byte) error {
	return each(b, func(field int, n int64, bytes []byte) error {
		switch field {
		case 1:
			r.version.Major = int(n)
		case 2:
			r.version.Minor = int(n)
		case 4:
			r.version.Sublevel = int(n)
		}
		return nil
	})
}
