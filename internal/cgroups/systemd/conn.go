package systemd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// conn is a connection to a message bus, or to systemd. The connection of package dbus has
// a goroutine that panics if recvmsg(2) fails, and reports each failure of the socket as
// "connection closed by user".
type conn struct {
	socket *net.UnixConn
	in     *bufio.Reader
	// files: the other side accepts descriptors.
	files  bool
	serial uint32 // of the last call
	// answers have arrived before the runtime waits for them.
	answers map[uint32]*dbus.Message
	signals []*dbus.Signal
}

// open connects to the first address of a list that works, and authenticates.
func open(ctx context.Context, addresses string) (c *conn, err error) {
	for address := range strings.SplitSeq(addresses, ";") {
		name, e := socketName(address)
		if e == nil {
			c, e = openAt(ctx, name)
		}
		if e == nil {
			return c, nil
		}
		err = errors.Join(err, e)
	}
	return nil, err
}

func openAt(ctx context.Context, name string) (*conn, error) {
	socket, err := dialSocket(ctx, name)
	if err != nil {
		return nil, err
	}
	c := &conn{socket: socket, in: bufio.NewReader(socket), answers: map[uint32]*dbus.Message{}}
	if err := c.until(ctx, c.authenticate); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// dialSocket connects to a socket. While too many other clients wait for the same
// server, it tries again.
func dialSocket(ctx context.Context, name string) (c *net.UnixConn, err error) {
	full := func(err error) bool { return errors.Is(err, unix.EAGAIN) }
	err = repeat(ctx, full, func() (err error) {
		c, err = new(net.Dialer).DialUnix(ctx, "unix", nil, &net.UnixAddr{Name: name, Net: "unix"})
		return err
	})
	return c, err
}

// repeat calls f, with growing pauses, until it returns another result than a temporary
// error, or the context has ended.
func repeat(ctx context.Context, temporary func(error) bool, f func() error) error {
	for delay := 5 * time.Millisecond; ; delay *= 2 {
		err := f()
		if !temporary(err) || pause(ctx, delay) != nil {
			return err
		}
	}
}

// socketName returns the name, for package net, of an address of the D-Bus specification:
// "unix:path=/run/x,guid=…" or "unix:abstract=x".
func socketName(address string) (string, error) {
	keys, ok := strings.CutPrefix(address, "unix:")
	for pair := range strings.SplitSeq(keys, ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := dbus.UnescapeBusAddressValue(value)
		if err != nil {
			return "", fmt.Errorf("address %q: %w", address, err)
		}
		switch {
		case !ok || value == "":
		case key == "path":
			return value, nil
		case key == "abstract":
			return "@" + value, nil
		}
	}
	return "", fmt.Errorf("address %q: %w (only unix:path= and unix:abstract=)", address, errors.ErrUnsupported)
}

func (c *conn) close() { c.socket.Close() }

// until runs f. Reads and writes of f fail once ctx has ended; the connection is of no use
// then.
func (c *conn) until(ctx context.Context, f func() error) error {
	stop := context.AfterFunc(ctx, func() {
		c.socket.SetDeadline(time.Unix(1, 0)) //nolint:errcheck // it is closed
	})
	defer stop()
	return f()
}

// authenticate is the client's side of the EXTERNAL mechanism: the socket identifies the
// user.
func (c *conn) authenticate() error {
	line, err := c.request("\x00AUTH EXTERNAL")
	if err == nil && strings.HasPrefix(line, "DATA") {
		line, err = c.request("DATA")
	}
	if err == nil && !strings.HasPrefix(line, "OK") {
		err = fmt.Errorf("authenticate: %w: the answer is %q", unix.EACCES, line)
	}
	if err != nil {
		return err
	}
	line, err = c.request("NEGOTIATE_UNIX_FD")
	if err != nil {
		return err
	}
	c.files = strings.HasPrefix(line, "AGREE_UNIX_FD")
	_, err = c.socket.Write([]byte("BEGIN\r\n"))
	return err
}

// request writes a line and reads the answer.
func (c *conn) request(line string) (string, error) {
	if _, err := c.socket.Write([]byte(line + "\r\n")); err != nil {
		return "", err
	}
	answer, err := c.in.ReadSlice('\n') // which limits the length
	if err != nil {
		return "", closed(err)
	}
	return strings.TrimSuffix(string(answer), "\r\n"), nil
}

// closed names the end of the connection.
func closed(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read: the connection was closed: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// method is a method of an object of a destination on the bus.
type method struct {
	destination string
	object      dbus.ObjectPath
	name        string // with its interface
}

// send sends a call, and returns its serial number.
func (c *conn) send(m method, args ...any) (serial uint32, err error) {
	dot := strings.LastIndexByte(m.name, '.')
	msg := dbus.Message{Type: dbus.TypeMethodCall, Body: args, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: dbus.MakeVariant(m.destination),
		dbus.FieldPath:        dbus.MakeVariant(m.object),
		dbus.FieldInterface:   dbus.MakeVariant(m.name[:dot]),
		dbus.FieldMember:      dbus.MakeVariant(m.name[dot+1:]),
	}}
	if len(args) > 0 {
		msg.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(args...))
	}
	files, err := msg.CountFds()
	if err != nil {
		return 0, err
	}
	if files > 0 {
		msg.Headers[dbus.FieldUnixFDs] = dbus.MakeVariant(uint32(files))
	}
	var text bytes.Buffer
	fds, err := msg.EncodeToWithFDs(&text, binary.LittleEndian)
	if err != nil {
		return 0, err
	}
	c.serial++
	const at = 8 // of the serial number in the header
	binary.LittleEndian.PutUint32(text.Bytes()[at:], c.serial)
	return c.serial, c.write(text.Bytes(), fds)
}

// write writes a message, and the descriptors with its first byte.
func (c *conn) write(text []byte, fds []int) error {
	if len(fds) > 0 {
		n, _, err := c.socket.WriteMsgUnix(text, unix.UnixRights(fds...), nil)
		if err != nil || n == len(text) {
			return err
		}
		text = text[n:]
	}
	_, err := c.socket.Write(text)
	return err
}

// await reads the answer to a call. An error of the other side is a dbus.Error.
func (c *conn) await(serial uint32) ([]any, error) {
	for c.answers[serial] == nil {
		if err := c.receive(); err != nil {
			return nil, err
		}
	}
	msg := c.answers[serial]
	delete(c.answers, serial)
	if msg.Type == dbus.TypeError {
		name, _ := msg.Headers[dbus.FieldErrorName].Value().(string)
		return nil, dbus.Error{Name: name, Body: msg.Body}
	}
	return msg.Body, nil
}

// signal returns the next signal.
func (c *conn) signal() (*dbus.Signal, error) {
	for len(c.signals) == 0 {
		if err := c.receive(); err != nil {
			return nil, err
		}
	}
	s := c.signals[0]
	c.signals = c.signals[1:]
	return s, nil
}

// maxMessage is more than an answer of systemd's has.
const maxMessage = 1 << 20

// read reads the bytes of a message: the decoder would hide the errno of a read.
func (c *conn) read() (*bytes.Buffer, error) {
	head, err := c.in.Peek(16)
	if err != nil {
		return nil, err
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if head[0] == 'B' {
		order = binary.BigEndian
	}
	body, fields := uint64(order.Uint32(head[4:])), uint64(order.Uint32(head[12:]))
	length := uint64(len(head)) + (fields+7)&^7 + body
	if length > maxMessage {
		return nil, fmt.Errorf("read: %w: a message of %d bytes", unix.EMSGSIZE, length)
	}
	var text bytes.Buffer
	_, err = io.CopyN(&text, c.in, int64(length))
	return &text, err
}

// receive reads a message, and keeps it if it is an answer or a signal.
func (c *conn) receive() error {
	text, err := c.read()
	if err != nil {
		return closed(err)
	}
	msg, err := dbus.DecodeMessage(text)
	if err != nil {
		return err
	}
	switch msg.Type {
	case dbus.TypeMethodReply, dbus.TypeError:
		if serial, ok := msg.Headers[dbus.FieldReplySerial].Value().(uint32); ok {
			c.answers[serial] = msg
		}
	case dbus.TypeSignal:
		iface, _ := msg.Headers[dbus.FieldInterface].Value().(string)
		member, _ := msg.Headers[dbus.FieldMember].Value().(string)
		c.signals = append(c.signals, &dbus.Signal{Name: iface + "." + member, Body: msg.Body})
	}
	return nil
}
