package libcontainer

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/passwd"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// needsHome reports whether process.env leaves HOME to the runtime.
func needsHome(c *config.Config) bool {
	return !slices.ContainsFunc(c.Process.Env, func(entry string) bool { return strings.HasPrefix(entry, "HOME=") })
}

// passwdFirst is read of /etc/passwd with the calls of other steps: most are
// smaller. Of one that is larger, pieces of passwdPiece follow, up to
// passwdMost in all: it could be without an end.
const (
	passwdFirst = 4 << 10
	passwdPiece = 32 << 10
	passwdMost  = 16 << 20
)

// findHome looks HOME up in the container's /etc/passwd. One that is missing,
// or that its user cannot read, has nobody in it.
func findHome(r *run) error {
	file := openPasswd(r.p)
	first := make([]byte, passwdFirst)
	read := readPasswd(r.p, file, first)
	r.p.CloseFd(file)
	r.p.Check(func() error {
		home, err := r.home(first, read)
		r.launch.Env = append(r.launch.Env, "HOME="+home)
		return err
	})
	return nil
}

// openPasswd queues the opening of the file, which may be anything: a fifo, or
// a terminal.
func openPasswd(p *stub.Proc) *stub.Value {
	p.Label("/etc/passwd")
	// It does not exist for the program's user.
	return p.Openat2(stub.Num(unix.AT_FDCWD), "/etc/passwd",
		unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, unix.RESOLVE_NO_MAGICLINKS).MayFail(unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP)
}

// readPasswd queues the reading of a piece of it.
func readPasswd(p *stub.Proc, file *stub.Value, piece []byte) *stub.Value {
	// It is a directory; it is a fifo to which nobody writes.
	return p.Read(file, piece).MayFail(unix.EISDIR, unix.EAGAIN)
}

// home finds the user's home directory in a file whose first piece was read.
func (r *run) home(first []byte, read *stub.Value) (string, error) {
	search := passwd.SearchUID(r.cfg.Process.UID)
	if home, found := search.Feed(read.Of(first)); found {
		return home, nil
	}
	if len(read.Of(first)) == len(first) {
		home, found, err := r.searchRest(search, len(first))
		if found || err != nil {
			return home, err
		}
	}
	if home, found := search.End(); found {
		return home, nil
	}
	return passwd.NoHome, nil
}

// searchRest reads on behind the first skip bytes.
func (r *run) searchRest(search *passwd.Search, skip int) (string, bool, error) {
	file := openPasswd(r.p)
	readPasswd(r.p, file, make([]byte, skip))
	piece := make([]byte, passwdPiece)
	for size := skip; size < passwdMost; size += len(piece) {
		read := readPasswd(r.p, file, piece)
		if err := r.flush(); err != nil {
			return "", false, err
		}
		if len(read.Of(piece)) == 0 {
			break
		}
		if home, found := search.Feed(read.Of(piece)); found {
			r.p.CloseFd(file)
			return home, true, r.flush()
		}
	}
	r.p.CloseFd(file)
	return "", false, r.flush()
}

// announceSockets tells the program of the sockets among its descriptors. Their
// names, LISTEN_FDNAMES, are not known here.
func announceSockets(r *run) error {
	pid := r.p.Getpid()
	r.p.Check(func() error {
		r.launch.Env = append(r.launch.Env,
			"LISTEN_FDS="+strconv.Itoa(r.cfg.ListenFDs), "LISTEN_PID="+strconv.Itoa(pid.Int()))
		return nil
	})
	return nil
}

// programEnv gives the program's environment: what the runtime adds is behind
// what config.json has, and in the place of it.
func (r *run) programEnv() []string {
	added := r.launch.Env
	if len(added) == 0 {
		return r.cfg.Process.Env
	}
	env := make([]string, 0, len(r.cfg.Process.Env)+len(added))
	for _, entry := range r.cfg.Process.Env {
		name, _, _ := strings.Cut(entry, "=")
		if !slices.ContainsFunc(added, func(a string) bool { return strings.HasPrefix(a, name+"=") }) {
			env = append(env, entry)
		}
	}
	return append(env, added...)
}
