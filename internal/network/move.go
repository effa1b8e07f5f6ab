package network

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// Mover moves network devices from the network namespace of this process to a
// container's.
type Mover struct {
	here, there *conn
	moved       []moved
}

// moved is a device that has been moved.
type moved struct {
	before    link
	index     int32 // in the container
	addresses []address
}

// NewMover returns a Mover to the network namespace of a process. It has a
// socket in each namespace and does not leave its own: a short-lived stub joins
// the other namespace and creates the socket there.
func NewMover(ctx context.Context, pidfd *os.File) (*Mover, error) {
	here, err := dial()
	if err != nil {
		return nil, err
	}
	there, err := dialIn(ctx, pidfd)
	if err != nil {
		here.f.Close()
		return nil, fmt.Errorf("enter the container's network namespace: %w%s", err, remedyMove(err))
	}
	m := &Mover{here: here, there: there}
	if err := m.checkApart(); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// dialIn creates a socket in the network namespace of a process, with the
// privileges of this process, not the container's.
func dialIn(ctx context.Context, pidfd *os.File) (*conn, error) {
	child, err := stub.Start(ctx, stub.Options{Files: []*os.File{nil, nil, nil, pidfd}})
	if err != nil {
		return nil, err
	}
	child.Setns(stub.Num(3), unix.CLONE_NEWNET)
	sock := child.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	var f *os.File
	err = child.Do()
	if err == nil {
		f, err = child.Fetch(sock)
	}
	err = errors.Join(err, child.Close(), child.Kill(), child.Reap(), child.Release())
	if err != nil {
		if f != nil {
			f.Close()
		}
		return nil, err
	}
	return newConn(f)
}

// checkApart returns an error if both sockets are in the same namespace.
func (m *Mover) checkApart() error {
	var st [2]unix.Stat_t
	for i, c := range []*conn{m.here, m.there} {
		ns, err := c.namespace()
		if err != nil {
			return fmt.Errorf("%w%s", err, remedyMove(err))
		}
		err = unix.Fstat(int(ns.Fd()), &st[i])
		ns.Close()
		if err != nil {
			return os.NewSyscallError("fstat", err)
		}
	}
	if st[0].Dev == st[1].Dev && st[0].Ino == st[1].Ino {
		return errors.New("the container is in the runtime's network namespace")
	}
	return nil
}

// Move moves a device with its addresses, and brings it up.
func (m *Mover) Move(d config.NetDevice) error {
	before, err := m.here.find(d.Host)
	if errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("find device: %w (the runtime's network namespace has no device of this name: see ip link)", err)
	}
	if err != nil {
		return fmt.Errorf("find device: %w", err)
	}
	if err := m.checkFree(d, before.name); err != nil {
		return err
	}
	addresses, err := m.here.addresses(before.index)
	if err != nil {
		return fmt.Errorf("read addresses: %w", err)
	}
	index, err := m.here.send(before.index, m.there, d.Name)
	if index != 0 {
		m.moved = append(m.moved, moved{before, index, addresses})
	}
	if err != nil {
		return fmt.Errorf("move to the container's network namespace: %w%s", err, remedyMove(err))
	}
	after, err := m.there.at(index)
	if err != nil {
		return err
	}
	after.up = true
	return m.there.configure(after, addresses, before.name)
}

// checkFree returns an error if the device's name is taken in the container.
// The kernel checks a new name only after it has moved the device.
func (m *Mover) checkFree(d config.NetDevice, name string) error {
	if d.Name != "" {
		name = d.Name
	}
	_, err := m.there.find(name)
	switch {
	case err == nil:
		return fmt.Errorf(`the container's network namespace has a device %q: %w (choose another "name", or a template like "eth%%d")`, name, unix.EEXIST)
	case errors.Is(err, unix.ENODEV):
		return nil // always so for a template
	}
	return fmt.Errorf("look for a device %q in the container: %w", name, err)
}

// remedyMove returns the likely cause of an error, in parentheses.
func remedyMove(err error) string {
	switch {
	case errors.Is(err, unix.EINVAL):
		return " (a device of this type, such as a bridge, or one bound to other devices cannot leave its namespace)"
	case errors.Is(err, unix.EPERM):
		return " (needs CAP_NET_ADMIN in the network namespace of the runtime and in the container's)"
	case errors.Is(err, unix.EEXIST):
		return " (the namespace has another device with one of its names)"
	}
	return ""
}

// configure adds the addresses to a device, formerly named before, and
// brings it up if l.up is set.
func (c *conn) configure(l link, addresses []address, before string) error {
	for _, a := range addresses {
		if err := c.addAddress(l.index, a.renamed(before, l.name)); err != nil {
			return fmt.Errorf("add address %s to %q: %w", a, l.name, err)
		}
	}
	if !l.up {
		return nil
	}
	if err := c.setUp(l.index); err != nil {
		return fmt.Errorf("bring up %q: %w", l.name, err)
	}
	return nil
}

// Return moves the devices back, the last first, with their names and
// addresses, and brings up those that were up.
func (m *Mover) Return() error {
	var all error
	for i := len(m.moved) - 1; i >= 0; i-- {
		if err := m.bringBack(m.moved[i]); err != nil {
			all = errors.Join(all, fmt.Errorf("bring network device %q back: %w", m.moved[i].before.name, err))
		}
	}
	m.moved = nil
	return all
}

func (m *Mover) bringBack(d moved) error {
	index, err := m.there.send(d.index, m.here, d.before.name)
	if err != nil {
		return err
	}
	back := link{index: index, name: d.before.name, up: d.before.up}
	return m.here.configure(back, d.addresses, back.name)
}

// Close closes both sockets. The devices stay in their namespaces.
func (m *Mover) Close() {
	m.here.f.Close()
	m.there.f.Close()
}
