package stub

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Fetch gives this process a descriptor of the stub's (pidfd_getfd(2), Linux
// 5.6). What it refers to is for the caller to check.
func (c *Child) Fetch(fd *Value) (*os.File, error) {
	n, err := unix.PidfdGetfd(int(c.Pidfd.Fd()), fd.Int(), 0)
	if err != nil {
		return nil, fmt.Errorf("pidfd_getfd: %w", err)
	}
	return os.NewFile(uintptr(n), "stub descriptor"), nil
}

// Pass gives the stub a descriptor of this process's, over the control socket
// (SCM_RIGHTS, unix(7)). What is queued is performed first.
func (c *Child) Pass(f *os.File) (*Value, error) {
	if err := c.Do(); err != nil { // a batch that ends early would leave the message to be read as a byte
		return nil, err
	}
	control := make([]byte, unix.CmsgSpace(4))
	payload := c.data([]byte{0})
	// struct iovec, and struct msghdr: name and its length, iov, control, flags.
	iov := c.data(words(payload.n, 1))
	rights := c.output(control)
	header := c.data(words(0, 0, iov.n, 1, rights.n, uint64(len(control)), 0))
	c.queue("recvmsg", unix.SYS_RECVMSG, val(c.control), header, hex(unix.MSG_CMSG_CLOEXEC))
	c.driver.pass(f)
	if err := c.Do(); err != nil {
		return nil, err
	}
	// struct cmsghdr has a length of 64 bits, a level and a type.
	if n := unix.CmsgLen(4); binary.NativeEndian.Uint64(control) != uint64(n) {
		return nil, errors.New("pass descriptor to stub: none has arrived")
	}
	return Num(int(binary.NativeEndian.Uint32(control[unix.CmsgLen(0):]))), nil
}
