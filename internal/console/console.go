// Package console makes the terminal of a container's program.
package console

import (
	"encoding/binary"
	"errors"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// Open queues the calls that unlock the terminal of ptmx, a master that Fetch
// has checked, and open its slave. The slave comes from TIOCGPTPEER (Linux
// 4.13), not from a path in /dev/pts, which the image or another container
// could have replaced (CVE-2025-52565).
func Open(p *stub.Proc, ptmx *stub.Value, size *specs.Box) (slave *stub.Value) {
	unlock := binary.NativeEndian.AppendUint32(nil, 0)
	p.Ioctl(ptmx, unix.TIOCSPTLCK, unlock)
	if size != nil && size.Height != 0 && size.Width != 0 {
		p.Ioctl(ptmx, unix.TIOCSWINSZ, winsize(size))
	}
	return p.IoctlInt(ptmx, unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
}

// winsize encodes struct winsize (ioctl_tty(2)): rows, columns, two unused
// fields.
func winsize(size *specs.Box) []byte {
	ne := binary.NativeEndian
	b := ne.AppendUint16(nil, uint16(size.Height))
	b = ne.AppendUint16(b, uint16(size.Width))
	return append(b, 0, 0, 0, 0)
}

// Adopt queues the calls that duplicate slave to descriptors 0, 1 and 2.
func Adopt(p *stub.Proc, slave *stub.Value) {
	for fd := range 3 {
		p.Dup3(slave, stub.Num(fd), 0)
	}
}

// Control queues the call that makes the adopted terminal the controlling
// terminal of the stub, which must be a session leader.
func Control(p *stub.Proc) {
	p.Label("process.terminal")
	p.IoctlInt(stub.Num(0), unix.TIOCSCTTY, 0)
	p.Label("")
}

// Fetch copies the stub's descriptor ptmx into this process and checks that it
// is the master of a terminal in a devpts. The container may have replaced
// /dev/pts/ptmx: the ioctls of a FUSE file, for example, can return any number
// as the slave's descriptor. Calls on such a file can also block for ever, so
// the stub makes the first one. Fetch performs the queued calls.
func Fetch(child *stub.Child, ptmx *stub.Value) (*os.File, error) {
	where, _ := child.Fstatfs(ptmx)
	if err := child.Do(); err != nil {
		return nil, err
	}
	if where.Type() != unix.DEVPTS_SUPER_MAGIC {
		return nil, errNoDevpts
	}
	f, err := child.Fetch(ptmx)
	if err != nil {
		return nil, err
	}
	n := int(f.Fd())
	var st unix.Stat_t
	if err := unix.Fstat(n, &st); err != nil {
		return nil, errors.Join(os.NewSyscallError("fstat", err), f.Close())
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || unix.Major(uint64(st.Rdev)) != 5 || unix.Minor(uint64(st.Rdev)) != 2 {
		return nil, errors.Join(errors.New("not the master of a terminal (character device 5:2)"), f.Close())
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(n, &fs); err != nil {
		return nil, errors.Join(os.NewSyscallError("fstatfs", err), f.Close())
	}
	if fs.Type != unix.DEVPTS_SUPER_MAGIC {
		return nil, errors.Join(errNoDevpts, f.Close())
	}
	return f, nil
}

var errNoDevpts = errors.New("/dev/pts/ptmx is not in a devpts")
