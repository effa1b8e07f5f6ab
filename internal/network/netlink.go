package network

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// answerTime is how long to wait for an answer, in seconds: the kernel changes
// one network device at a time, over all namespaces.
const answerTime = 30

// conn is a netlink socket (netlink(7), rtnetlink(7)). It works on the network
// namespace in which it was created.
type conn struct {
	f   *os.File
	seq uint32
}

// message is a message from the kernel, without its header.
type message struct {
	kind uint16
	body []byte
}

// dial creates a socket in the network namespace of this thread.
func dial() (*conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	return newConn(os.NewFile(uintptr(fd), "netlink"))
}

// newConn takes over a socket. It closes f on errors.
func newConn(f *os.File) (*conn, error) {
	fd := int(f.Fd())
	err := errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: answerTime}),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_EXT_ACK, 1),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1),
	)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("set up netlink socket: setsockopt: %w", err)
	}
	return &conn{f: f}, nil
}

// namespace opens the network namespace in which the socket was created.
func (c *conn) namespace() (*os.File, error) {
	fd, err := unix.IoctlRetInt(int(c.f.Fd()), unix.SIOCGSKNS)
	if err != nil {
		return nil, fmt.Errorf("ioctl SIOCGSKNS: %w", err)
	}
	return os.NewFile(uintptr(fd), "network namespace"), nil
}

// do sends a request and returns the answers without the last, which only ends
// them. It passes events of a subscription to event, which may be nil.
func (c *conn) do(kind, flags uint16, body []byte, event func(message)) ([]message, error) {
	c.seq++
	req := request(kind, flags, c.seq, body)
	if err := unix.Sendto(int(c.f.Fd()), req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, fmt.Errorf("send netlink request: %w", err)
	}
	var all []message
	buf := make([]byte, 64<<10) // a datagram has at most 32 KiB
	for {
		n, err := c.receive(buf)
		if err != nil {
			return nil, fmt.Errorf("wait for netlink answer: %w", err)
		}
		for rest := buf[:n]; len(rest) > 0; {
			var h header
			var m message
			if h, m, rest, err = next(rest); err != nil {
				return nil, err
			}
			switch {
			case h.seq != c.seq:
				if event != nil && h.seq == 0 {
					event(m)
				}
			case m.kind == unix.NLMSG_ERROR || m.kind == unix.NLMSG_DONE:
				return all, result(h, m)
			case h.flags&unix.NLM_F_DUMP_INTR != 0:
				return nil, fmt.Errorf("the list changed during the read: %w", unix.EAGAIN)
			default:
				all = append(all, m)
			}
		}
	}
}

// request encodes a request that the kernel must acknowledge (netlink(7)).
func request(kind, flags uint16, seq uint32, body []byte) []byte {
	ne := binary.NativeEndian
	b := ne.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	b = ne.AppendUint16(b, kind)
	b = ne.AppendUint16(b, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	b = ne.AppendUint32(b, seq)
	b = ne.AppendUint32(b, 0)
	return append(b, body...)
}

// receive waits for a datagram. It ignores ENOBUFS: only events were lost, and
// the answer still comes.
func (c *conn) receive(buf []byte) (int, error) {
	for {
		n, _, err := unix.Recvfrom(int(c.f.Fd()), buf, 0)
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENOBUFS) {
			return n, err
		}
	}
}

// header holds the needed fields of struct nlmsghdr.
type header struct {
	flags uint16
	seq   uint32
}

var errMalformed = errors.New("malformed netlink message")

// next splits the first message, as a copy, from received data.
func next(b []byte) (header, message, []byte, error) {
	ne := binary.NativeEndian
	if len(b) < unix.NLMSG_HDRLEN {
		return header{}, message{}, nil, errMalformed
	}
	n := int(ne.Uint32(b))
	if n < unix.NLMSG_HDRLEN || n > len(b) {
		return header{}, message{}, nil, errMalformed
	}
	h := header{flags: ne.Uint16(b[6:]), seq: ne.Uint32(b[8:])}
	m := message{kind: ne.Uint16(b[4:]), body: bytes.Clone(b[unix.NLMSG_HDRLEN:n])}
	return h, m, b[min(align(n), len(b)):], nil
}

// result returns the error in the last message, with the kernel's extended
// message if it has one.
func result(h header, m message) error {
	ne := binary.NativeEndian
	if len(m.body) < 4 {
		return errMalformed
	}
	code := int32(ne.Uint32(m.body))
	if code == 0 {
		return nil
	}
	err := error(unix.Errno(-code))
	if h.flags&unix.NLM_F_ACK_TLVS == 0 || m.kind != unix.NLMSG_ERROR || len(m.body) < 4+unix.NLMSG_HDRLEN {
		return err
	}
	// The request follows the code, or only its header if capped.
	skip := 4 + unix.NLMSG_HDRLEN
	if h.flags&unix.NLM_F_CAPPED == 0 {
		skip = 4 + align(int(ne.Uint32(m.body[4:])))
	}
	if skip > len(m.body) {
		return errMalformed
	}
	attrs, e := parseAttrs(m.body[skip:])
	if e != nil {
		return e
	}
	if text := attrs.text(unix.NLMSGERR_ATTR_MSG); text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return err
}
