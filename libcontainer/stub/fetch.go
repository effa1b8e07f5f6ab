package stub

import (
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
	rights := unix.UnixRights(fd.Int())
	c.queue("sendmsg", unix.SYS_SENDMSG, val(c.control), message(data(rights), len(rights)), hex(unix.MSG_NOSIGNAL))
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
	rights := make([]byte, unix.CmsgSpace(4))
	c.queue("recvmsg", unix.SYS_RECVMSG, val(c.control), message(output(rights), len(rights)), hex(unix.MSG_CMSG_CLOEXEC))
	c.sock.passing = f
	if err := c.Do(); err != nil {
		return nil, err
	}
	// struct cmsghdr: a length of 64 bits, level, type; the descriptor.
	if binary.NativeEndian.Uint64(rights) != uint64(unix.CmsgLen(4)) {
		return nil, errors.New("pass a descriptor to the stub: none arrived")
	}
	return Num(int(binary.NativeEndian.Uint32(rights[unix.CmsgLen(0):]))), nil
}

// message makes a struct msghdr with one byte and a control message.
func message(rights arg, length int) arg {
	payload := data([]byte{0})
	iov := pointing(words(0, 1), map[int]*arg{0: &payload})
	// Name and its length, iov and their number, control and its length, flags.
	return pointing(words(0, 0, 0, 1, 0, uint64(length), 0), map[int]*arg{16: &iov, 32: &rights})
}
