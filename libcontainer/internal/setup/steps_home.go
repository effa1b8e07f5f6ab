package setup

import (
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/passwd"
	"github.com/berth-oci/berth/libcontainer/stub"
)

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
	file := openPasswd(r.stub)
	first := make([]byte, passwdFirst)
	read := readPasswd(r.stub, file, first)
	r.stub.CloseFd(file)
	r.stub.Check(func() error {
		home, err := r.findHomeIn(first, read)
		r.home = []string{"HOME=" + home}
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

// findHomeIn finds the user's home directory in a file whose first piece was read.
func (r *run) findHomeIn(first []byte, read *stub.Value) (string, error) {
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
	file := openPasswd(r.stub)
	readPasswd(r.stub, file, make([]byte, skip))
	piece := make([]byte, passwdPiece)
	for size := skip; size < passwdMost; size += len(piece) {
		read := readPasswd(r.stub, file, piece)
		if err := r.flush(); err != nil {
			return "", false, err
		}
		if len(read.Of(piece)) == 0 {
			break
		}
		if home, found := search.Feed(read.Of(piece)); found {
			r.stub.CloseFd(file)
			return home, true, r.flush()
		}
	}
	r.stub.CloseFd(file)
	return "", false, r.flush()
}
