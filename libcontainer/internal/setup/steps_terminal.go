package setup

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/console"
	"github.com/berth-oci/berth/libcontainer/stub"
)

func controlTerminal(r *run) error {
	console.Control(r.stub)
	return nil
}

// openTerminal makes the program's terminal, binds it to /dev/console, and passes its
// master side to Console.
func openTerminal(r *run) error {
	if err := r.adoptTerminal(r.tree.OpenPtmx(), r.tree.BindConsole); err != nil {
		return err
	}
	console.Control(r.stub)
	return nil
}

// openContainersTerminal makes a terminal in the devpts of a running container.
func openContainersTerminal(r *run) error {
	r.stub.Label("process.terminal: open /dev/pts/ptmx")
	ptmx := r.stub.Openat2(stub.Num(unix.AT_FDCWD), "/dev/pts/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, unix.RESOLVE_NO_MAGICLINKS)
	return r.adoptTerminal(ptmx, func(*stub.Value) { r.stub.Label("") })
}

// adoptTerminal makes a terminal the stub's stdio, and passes its master side, ptmx,
// to Console. Also queues further calls for the slave side.
func (r *run) adoptTerminal(ptmx *stub.Value, also func(slave *stub.Value)) error {
	if r.Console == nil {
		return errors.New("process.terminal is set, but CreateOptions has no Console that takes the terminal")
	}
	master, err := console.Fetch(r.child, ptmx)
	if err != nil {
		return err
	}
	slave := console.Open(r.stub, ptmx, r.cfg.Process.ConsoleSize)
	r.stub.Fchownat(slave, "", int(r.cfg.Process.UID), -1, unix.AT_EMPTY_PATH)
	also(slave)
	console.Adopt(r.stub, slave)
	r.stub.CloseFd(ptmx)
	r.stub.CloseFd(slave)
	if err := r.flush(); err != nil {
		return errors.Join(err, master.Close())
	}
	return r.Console(master)
}
