package network

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// attr is an attribute of a netlink message (struct nlattr).
type attr struct {
	kind  uint16
	value []byte
}

// attrs are the attributes of one message, in its order.
type attrs []attr

// align rounds up to the offset of the next message or attribute.
func align(n int) int { return (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1) }

// parseAttrs parses the attributes after the fixed part of a message.
func parseAttrs(b []byte) (attrs, error) {
	var list attrs
	for len(b) >= unix.SizeofNlAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofNlAttr || n > len(b) {
			return nil, errMalformed
		}
		const flags = unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER
		list = append(list, attr{binary.NativeEndian.Uint16(b[2:]) &^ flags, b[unix.SizeofNlAttr:n]})
		b = b[min(align(n), len(b)):]
	}
	return list, nil
}

// encode appends the attributes to a message.
func (list attrs) encode(b []byte) []byte {
	for _, a := range list {
		b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofNlAttr+len(a.value)))
		b = binary.NativeEndian.AppendUint16(b, a.kind)
		b = append(b, a.value...)
		b = append(b, make([]byte, align(len(b))-len(b))...)
	}
	return b
}

// get returns the value of the first attribute of a kind, or nil.
func (list attrs) get(kind uint16) []byte {
	for _, a := range list {
		if a.kind == kind {
			return a.value
		}
	}
	return nil
}

// text returns a string attribute, or "".
func (list attrs) text(kind uint16) string {
	return string(bytes.TrimRight(list.get(kind), "\x00"))
}

// number returns a 32-bit attribute and whether the message has it.
func (list attrs) number(kind uint16) (uint32, bool) {
	v := list.get(kind)
	if len(v) < 4 {
		return 0, false
	}
	return binary.NativeEndian.Uint32(v), true
}

func textAttr(kind uint16, s string) attr { return attr{kind, append([]byte(s), 0)} }

func numberAttr(kind uint16, n uint32) attr {
	return attr{kind, binary.NativeEndian.AppendUint32(nil, n)}
}
