package network

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// link is a network device, as in RTM_GETLINK.
type link struct {
	index int32
	name  string
	up    bool
}

// linkMessage encodes struct ifinfomsg and attributes. change is the mask of
// the flags to set.
func linkMessage(index int32, flags, change uint32, list attrs) []byte {
	ne := binary.NativeEndian
	b := []byte{unix.AF_UNSPEC, 0, 0, 0}
	b = ne.AppendUint32(b, uint32(index))
	b = ne.AppendUint32(b, flags)
	b = ne.AppendUint32(b, change)
	return list.encode(b)
}

// parseLink parses such a message.
func parseLink(body []byte) (index int32, flags uint32, list attrs, err error) {
	if len(body) < unix.SizeofIfInfomsg {
		return 0, 0, nil, errMalformed
	}
	ne := binary.NativeEndian
	list, err = parseAttrs(body[unix.SizeofIfInfomsg:])
	return int32(ne.Uint32(body[4:])), ne.Uint32(body[8:]), list, err
}

// find returns the device with a name or an alternative name (ip-link(8),
// altname).
func (c *conn) find(name string) (link, error) {
	return c.getLink(linkMessage(0, 0, 0, attrs{textAttr(unix.IFLA_IFNAME, name)}))
}

// at returns the device with an index.
func (c *conn) at(index int32) (link, error) { return c.getLink(linkMessage(index, 0, 0, nil)) }

func (c *conn) getLink(request []byte) (link, error) {
	answers, err := c.do(unix.RTM_GETLINK, 0, request, nil)
	if err != nil {
		return link{}, err
	}
	if len(answers) != 1 {
		return link{}, fmt.Errorf("%d answers instead of one: %w", len(answers), errMalformed)
	}
	index, flags, list, err := parseLink(answers[0].body)
	return link{index: index, name: list.text(unix.IFLA_IFNAME), up: flags&unix.IFF_UP != 0}, err
}

// setUp brings a device up.
func (c *conn) setUp(index int32) error {
	_, err := c.do(unix.RTM_NEWLINK, 0, linkMessage(index, unix.IFF_UP, unix.IFF_UP, nil), nil)
	return err
}

// send moves a device to the network namespace of another socket. name is its
// name there, or a template; if empty, it keeps its name. send returns the
// device's index in that namespace; an index other than 0 with an error means
// that the device has moved.
func (c *conn) send(index int32, to *conn, name string) (int32, error) {
	target, err := to.namespace()
	if err != nil {
		return 0, err
	}
	defer target.Close()
	list := attrs{numberAttr(unix.IFLA_NET_NS_FD, uint32(target.Fd()))}
	if name != "" {
		list = append(list, textAttr(unix.IFLA_IFNAME, name))
	}
	// Subscribers of the old namespace get the event that the device is gone,
	// with its new index (Linux 4.15), before the answer to the request.
	if err := c.membership(unix.NETLINK_ADD_MEMBERSHIP); err != nil {
		return 0, err
	}
	var got int32
	event := func(m message) {
		if n, ok := movedTo(m, index); ok {
			got = n
		}
	}
	_, err = c.do(unix.RTM_NEWLINK, 0, linkMessage(index, 0, 0, list), event)
	if err != nil && got == 0 {
		// The device has moved if only the answer is lost. Its event then precedes the
		// answer to any other request, also to one that fails.
		c.do(unix.RTM_GETLINK, 0, linkMessage(index, 0, 0, nil), event) //nolint:errcheck // ENODEV if it has moved
	}
	err = errors.Join(err, c.membership(unix.NETLINK_DROP_MEMBERSHIP))
	if err == nil && got == 0 {
		err = errors.New("the kernel did not report the new index of the device")
	}
	return got, err
}

// membership begins or ends the subscription of events about devices.
func (c *conn) membership(option int) error {
	if err := unix.SetsockoptInt(int(c.f.Fd()), unix.SOL_NETLINK, option, unix.RTNLGRP_LINK); err != nil {
		return fmt.Errorf("subscription of events: setsockopt: %w", err)
	}
	return nil
}

// movedTo reports whether a message says that the device has moved to another
// namespace, and returns its index there.
func movedTo(m message, index int32) (int32, bool) {
	if m.kind != unix.RTM_DELLINK {
		return 0, false
	}
	gone, _, list, err := parseLink(m.body)
	if err != nil || gone != index {
		return 0, false
	}
	n, ok := list.number(unix.IFLA_NEW_IFINDEX)
	return int32(n), ok
}
