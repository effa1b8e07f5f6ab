package network

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"

	"golang.org/x/sys/unix"
)

// address is an IP address of a device, as in RTM_GETADDR: struct ifaddrmsg
// without the index, and the attributes.
type address struct {
	family, prefix, flags, scope byte
	list                         attrs
}

// keptFlags are the address flags that an administrator sets; the others
// describe its state.
const keptFlags = unix.IFA_F_NODAD | unix.IFA_F_HOMEADDRESS | unix.IFA_F_MANAGETEMPADDR | unix.IFA_F_NOPREFIXROUTE | unix.IFA_F_MCAUTOJOIN

// encode returns the message that adds the address to a device.
func (a address) encode(index int32) []byte {
	b := []byte{a.family, a.prefix, a.flags, a.scope}
	b = binary.NativeEndian.AppendUint32(b, uint32(index))
	return a.list.encode(b)
}

// parseAddress parses such a message. moves reports whether the address moves
// with its device.
func parseAddress(body []byte) (a address, index int32, moves bool, err error) {
	if len(body) < unix.SizeofIfAddrmsg {
		return a, 0, false, errMalformed
	}
	a = address{family: body[0], prefix: body[1], scope: body[3]}
	index = int32(binary.NativeEndian.Uint32(body[4:]))
	list, err := parseAttrs(body[unix.SizeofIfAddrmsg:])
	if err != nil {
		return a, index, false, err
	}
	flags, ok := list.number(unix.IFA_FLAGS)
	if !ok {
		flags = uint32(body[2])
	}
	a.list = attrs{numberAttr(unix.IFA_FLAGS, flags&keptFlags)}
	for _, kept := range list {
		if kept.kind != unix.IFA_FLAGS {
			a.list = append(a.list, kept)
		}
	}
	return a, index, flags&unix.IFA_F_PERMANENT != 0 && a.scope == unix.RT_SCOPE_UNIVERSE, nil
}

// addresses returns the addresses of a device that move with it: the permanent
// ones of global scope (config-linux.md, Network Devices).
func (c *conn) addresses(index int32) ([]address, error) {
	request := address{family: unix.AF_UNSPEC}.encode(index)
	answers, err := c.dump(unix.RTM_GETADDR, request)
	if err != nil {
		return nil, err
	}
	var all []address
	for _, m := range answers {
		a, of, moves, err := parseAddress(m.body)
		if err != nil {
			return nil, err
		}
		if moves && of == index {
			all = append(all, a)
		}
	}
	return all, nil
}

// dumpTries is how often dump reads a list that changes during the read.
const dumpTries = 10

// dump reads a list.
func (c *conn) dump(kind uint16, request []byte) (answers []message, err error) {
	for range dumpTries {
		answers, err = c.do(kind, unix.NLM_F_DUMP, request, nil)
		if !errors.Is(err, unix.EAGAIN) {
			break
		}
	}
	return answers, err
}

// addAddress adds an address to a device.
func (c *conn) addAddress(index int32, a address) error {
	_, err := c.do(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, a.encode(index), nil)
	return err
}

// renamed returns the address with its label adapted to the new name of its
// device. Labels are the device's name, "eth0", or begin with it, "eth0:x"
// (ip-address(8)).
func (a address) renamed(from, to string) address {
	old := a.list.text(unix.IFA_LABEL)
	rest, ok := strings.CutPrefix(old, from)
	if !ok || len(to+rest) >= unix.IFNAMSIZ {
		return a
	}
	list := make(attrs, len(a.list))
	for i, kept := range a.list {
		if kept.kind == unix.IFA_LABEL {
			kept = textAttr(unix.IFA_LABEL, to+rest)
		}
		list[i] = kept
	}
	a.list = list
	return a
}

// String returns the address as ip(8) prints it.
func (a address) String() string {
	value := a.list.get(unix.IFA_LOCAL)
	if value == nil {
		value = a.list.get(unix.IFA_ADDRESS)
	}
	ip, _ := netip.AddrFromSlice(value)
	return netip.PrefixFrom(ip, int(a.prefix)).String()
}
