package setup

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/passwd"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Bytes read of /etc/passwd: first passwdFirst, in one batch with other steps, as most
// files are smaller; then pieces of passwdPiece; passwdMost in all, as the file could
// be endless.
const (
	passwdFirst = 4 << 10
	passwdPiece = 32 << 10
	passwdMost  = 16 << 20
)

// findHome looks HOME up in the container's /etc/passwd. A file that does not exist,
// or that the program's user cannot read, counts as empty.
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

// openPasswd queues open of /etc/passwd without blocking: it may be a FIFO or a
// terminal.
func openPasswd(p *stub.Proc) *stub.Value {
	p.Label("/etc/passwd")
	file := p.Openat2(stub.Num(unix.AT_FDCWD), "/etc/passwd",
		unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, unix.RESOLVE_NO_MAGICLINKS).Checked() // noPasswd names the errnos
	p.Check(func() error {
		if err := file.Err(); err != nil && !noPasswd(err) {
			return fmt.Errorf("openat2: %w", err)
		}
		return nil
	})
	return file
}

// noPasswd reports whether an error means that the file does not exist for the program's
// user, or is not a regular file: a socket or a device without a driver (ENXIO, ENODEV), a
// device that the cgroup denies (EPERM). EAGAIN: a process has a lease on it (fcntl(2)).
func noPasswd(err error) bool {
	return oneOf(err, unix.ENOENT, unix.ENOTDIR, unix.EACCES, unix.ELOOP, unix.ENXIO, unix.ENODEV, unix.EPERM, unix.EAGAIN)
}

// readPasswd queues a read of the next piece.
func readPasswd(p *stub.Proc, file *stub.Value, piece []byte) *stub.Value {
	// EISDIR: a directory. EAGAIN: a FIFO that no process writes to.
	return p.Read(file, piece).MayFail(unix.EISDIR, unix.EAGAIN)
}

// findHomeIn finds the user's home directory, given the first piece of the file.
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

// searchRest searches the file after its first skip bytes.
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
