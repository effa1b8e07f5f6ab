package systemd

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// serveOnce listens, and serves one authenticated client.
func serveOnce(t *testing.T, serve func(c *net.UnixConn, in *bufio.Reader)) (address string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		c, err := l.AcceptUnix()
		if err == nil {
			in := bufio.NewReader(c)
			if _, err = authenticate(in, c); err == nil {
				serve(c, in)
			}
			err = errors.Join(err, c.Close())
		}
		served <- err
	}()
	t.Cleanup(func() {
		l.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "unix:path=" + path
}

// A message bus that ends resets the connection: the rest of a message is then an error of
// recvmsg(2), not the end of the file.
func TestConnectionIsReset(t *testing.T) {
	address := serveOnce(t, func(c *net.UnixConn, in *bufio.Reader) {
		if _, err := in.Peek(1); err != nil { // of the Hello, which stays unread
			t.Error(err)
		}
		if _, err := c.Write([]byte("l\x02\x01\x01\x00\x00\x00\x00\x01\x00\x00\x00\x40\x00\x00\x00")); err != nil {
			t.Error(err)
		}
	})
	_, err := connect(t.Context(), address, true, patience())
	if !errors.Is(err, unix.ECONNRESET) && !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "read") {
		t.Error(err)
	}
}

func TestDescriptorsAreSentWithTheMessage(t *testing.T) {
	authenticated, got := make(chan bool), make(chan string, 1)
	address := serveOnce(t, func(c *net.UnixConn, _ *bufio.Reader) {
		defer close(got)
		close(authenticated)
		text, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
		_, n, _, _, err := c.ReadMsgUnix(text, rights)
		if err != nil {
			t.Error(err)
			return
		}
		messages, err := unix.ParseSocketControlMessage(rights[:n])
		if err != nil || len(messages) != 1 {
			t.Error(messages, err)
			return
		}
		fds, err := unix.ParseUnixRights(&messages[0])
		if err != nil {
			t.Error(err)
			return
		}
		f := os.NewFile(uintptr(fds[0]), "got")
		defer f.Close()
		var stat unix.Stat_t
		if err := unix.Fstat(fds[0], &stat); err != nil || stat.Mode&unix.S_IFMT != unix.S_IFCHR {
			t.Errorf("%#o, %v", stat.Mode, err)
		}
		msg, err := dbus.DecodeMessage(strings.NewReader(string(text)))
		if err != nil {
			t.Error(err)
			return
		}
		got <- msg.Headers[dbus.FieldUnixFDs].String()
	})
	b, err := connect(t.Context(), address, false, patience())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	<-authenticated // the reader of authenticate would drop the descriptor
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if _, err := b.conn.send(method{busName, managerPath, "x.y.z"}, []dbus.UnixFD{dbus.UnixFD(null.Fd())}); err != nil {
		t.Fatal(err)
	}
	if count := <-got; count != "@u 1" && count != "1" {
		t.Errorf("UNIX_FDS is %s", count)
	}
}

func TestSocketNames(t *testing.T) {
	for address, want := range map[string]string{
		"unix:path=/run/user/1000/bus":       "/run/user/1000/bus",
		"unix:guid=1,path=/run/a%20b":        "/run/a b",
		"unix:abstract=/tmp/dbus-x,guid=abc": "@/tmp/dbus-x",
		"unix:path=%zz":                      "",
		"unix:":                              "",
		"tcp:host=localhost,port=1":          "",
		"":                                   "",
	} {
		name, err := socketName(address)
		if name != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", address, name, err)
		}
	}
}

// A list has the addresses of one bus.
func TestSecondAddress(t *testing.T) {
	f := newFake(t)
	b, err := connect(t.Context(), "unix:path=/nonexistent;tcp:host=x;unix:path="+f.address, true, patience())
	if err != nil {
		t.Fatal(err)
	}
	b.close()
}

// connect(2) fails with EAGAIN while too many other clients wait for accept(2).
func TestDialWaitsForItsTurn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	server, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(server)
	if err := errors.Join(unix.Bind(server, &unix.SockaddrUnix{Name: path}), unix.Listen(server, 0)); err != nil {
		t.Fatal(err)
	}
	full := fill(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := dialSocket(ctx, path); !errors.Is(err, unix.EAGAIN) && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a full server: %v", err)
	}
	done := make(chan error, 1)
	go func() {
		c, err := dialSocket(t.Context(), path)
		if err == nil {
			err = c.Close()
		}
		done <- err
	}()
	for range full {
		fd, _, err := unix.Accept(server)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// fill connects clients until the server accepts no more, and returns their number.
func fill(t *testing.T, path string) (n int) {
	for {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		err = unix.Connect(fd, &unix.SockaddrUnix{Name: path})
		if errors.Is(err, unix.EAGAIN) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
}

// An answer or signal that comes before the runtime waits for it is kept.
func TestAnswersInAnotherOrder(t *testing.T) {
	address := serveOnce(t, func(c *net.UnixConn, in *bufio.Reader) {
		var calls []*dbus.Message
		for range 2 {
			msg, err := dbus.DecodeMessage(in)
			if err != nil {
				t.Error(err)
				return
			}
			calls = append(calls, msg)
		}
		for _, msg := range []*dbus.Message{
			message(calls[1], dbus.TypeSignal, map[dbus.HeaderField]any{
				dbus.FieldPath: managerPath, dbus.FieldInterface: managerInterface, dbus.FieldMember: "JobRemoved",
			}, []any{"signal"}),
			message(calls[1], dbus.TypeMethodReply, nil, []any{"second"}),
			message(calls[0], dbus.TypeError, map[dbus.HeaderField]any{dbus.FieldErrorName: errNoSuchUnit}, []any{"first"}),
		} {
			if err := msg.EncodeTo(c, binary.LittleEndian); err != nil {
				t.Error(err)
			}
		}
	})
	b, err := connect(t.Context(), address, false, patience())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	var serials []uint32
	for range 2 {
		serial, err := b.conn.send(method{busName, managerPath, "x.y.z"})
		if err != nil {
			t.Fatal(err)
		}
		serials = append(serials, serial)
	}
	if _, err := b.conn.await(serials[0]); !is(err, errNoSuchUnit) {
		t.Error(err)
	}
	if body, err := b.conn.await(serials[1]); err != nil || len(body) != 1 || body[0] != "second" {
		t.Errorf("%v, %v", body, err)
	}
	if s, err := b.conn.signal(); err != nil || s.Name != managerInterface+".JobRemoved" {
		t.Errorf("%v, %v", s, err)
	}
}
