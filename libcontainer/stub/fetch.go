package stub

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Descriptors travel over the control socket (SCM_RIGHTS, unix(7)), both ways:
// pidfd_getfd(2) needs the right to trace the stub, which an unprivileged
// runtime does not have over a process that is not dumpable.

// Fetch returns a descriptor of the stub in this process. The caller must check
// which file it refers to. Fetch first performs the queued calls.
func (c *Child) Fetch(fd *Value) (*os.File, error) {
	if err := c.Do(); err != nil {
		return nil, err
	}
	rights := c.rights(uint32(fd.Int()))
	c.queue("sendmsg", unix.SYS_SENDMSG, val(c.control), c.message(data(rights), len(rights)), hex(unix.MSG_NOSIGNAL))
	c.sock.taking = true
	err := c.Do()
	f := c.sock.taken
	c.sock.taken = nil
	if err == nil && f == nil {
		err = errors.New("fetch a descriptor from the stub: none received")
	}
	if err != nil && f != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, err
}

// Pass sends a descriptor of this process to the stub. It first performs the
// queued calls.
func (c *Child) Pass(f *os.File) (*Value, error) {
	if err := c.Do(); err != nil { // after a batch that ends early, the stub would read the message as a byte
		return nil, err
	}
	rights := make([]byte, len(c.rights(0)))
	c.queue("recvmsg", unix.SYS_RECVMSG, val(c.control), c.message(output(rights), len(rights)), hex(unix.MSG_CMSG_CLOEXEC))
	c.sock.passing = f
	if err := c.Do(); err != nil {
		return nil, err
	}
	header, number := rights[:c.cmsgHeader()], rights[c.cmsgHeader():]
	if !bytes.HasPrefix(c.rights(0), header) {
		return nil, errors.New("pass a descriptor to the stub: none arrived")
	}
	return Num(int(binary.NativeEndian.Uint32(number))), nil
}

// cmsgHeader is the size of struct cmsghdr: a long, the length of the message; the level
// and the type.
func (p *Proc) cmsgHeader() int { return p.longSize() + 8 }

// rights encodes a control message with a descriptor of the process.
func (p *Proc) rights(fd uint32) []byte {
	length := p.cmsgHeader() + 4
	b := p.longs(uint64(length))
	for _, n := range []uint32{unix.SOL_SOCKET, unix.SCM_RIGHTS, fd} {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	return append(b, make([]byte, -length&(p.longSize()-1))...) // up to a multiple of a long
}

// message makes a struct msghdr with one byte and a control message.
func (p *Proc) message(rights arg, length int) arg {
	payload := data([]byte{0})
	iov := pointing(p.longs(0, 1), map[int]*arg{0: &payload})
	// Name and its length, iov and their number, control and its length, flags.
	return pointing(p.longs(0, 0, 0, 1, 0, uint64(length), 0), map[int]*arg{2 * p.longSize(): &iov, 4 * p.longSize(): &rights})
}
