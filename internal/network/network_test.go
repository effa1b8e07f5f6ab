package network

import (
	"encoding/binary"
	"errors"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReadOwn reads the network namespace of this process, which needs no
// privileges.
func TestReadOwn(t *testing.T) {
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.f.Close()
	lo, err := c.find("lo")
	if err != nil || lo.name != "lo" || lo.index == 0 {
		t.Errorf("lo is %+v, %v", lo, err)
	}
	if again, err := c.at(lo.index); err != nil || again != lo {
		t.Errorf("index %d is %+v, %v", lo.index, again, err)
	}
	if _, err := c.find("berth-has-none"); !errors.Is(err, unix.ENODEV) {
		t.Errorf("a device that does not exist: %v", err)
	}
	all, err := c.addresses(lo.index)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if s := a.String(); s == "127.0.0.1/8" || s == "::1/128" {
			t.Errorf("%s must not have global scope", s)
		}
	}
	// An answer in several messages is read to its end; the rest of the one
	// before is not taken for it.
	answers, err := c.dump(unix.RTM_GETLINK, linkMessage(0, 0, 0, nil))
	if err != nil || len(answers) == 0 {
		t.Errorf("%d devices, %v", len(answers), err)
	}
}

// reply encodes a message as the kernel would send it.
func reply(kind, flags uint16, seq uint32, body []byte) []byte {
	ne := binary.NativeEndian
	b := ne.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	b = ne.AppendUint16(b, kind)
	b = ne.AppendUint16(b, flags)
	b = ne.AppendUint32(b, seq)
	b = ne.AppendUint32(b, 0)
	return append(b, body...)
}

func TestResult(t *testing.T) {
	ne := binary.NativeEndian
	minus := func(e unix.Errno) []byte { return ne.AppendUint32(nil, uint32(-int32(e))) }
	request := reply(unix.RTM_NEWLINK, 0, 1, []byte{1, 2, 3, 4})
	words := attrs{textAttr(unix.NLMSGERR_ATTR_MSG, "the reason")}
	for _, test := range []struct {
		flags uint16
		body  []byte
		want  string
	}{
		{0, append(minus(0), request...), ""},
		{0, append(minus(unix.EPERM), request...), "operation not permitted"},
		{unix.NLM_F_ACK_TLVS, words.encode(append(minus(unix.EPERM), request...)), "operation not permitted: the reason"},
		{unix.NLM_F_ACK_TLVS | unix.NLM_F_CAPPED, words.encode(append(minus(unix.EPERM), request[:unix.NLMSG_HDRLEN]...)), "operation not permitted: the reason"},
		{unix.NLM_F_ACK_TLVS, append(minus(unix.EPERM), request[:unix.NLMSG_HDRLEN]...), errMalformed.Error()},
		{unix.NLM_F_ACK_TLVS, minus(unix.EPERM), "operation not permitted"},
		{0, nil, errMalformed.Error()},
	} {
		got := ""
		if err := result(header{flags: test.flags}, message{unix.NLMSG_ERROR, test.body}); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%v: got %q, want %q", test.body, got, test.want)
		}
	}
}

func TestNext(t *testing.T) {
	two := append(reply(unix.RTM_NEWLINK, 0, 7, []byte{1, 2, 3, 4}), reply(unix.NLMSG_DONE, 0, 8, nil)...)
	h, m, rest, err := next(two)
	if err != nil || h.seq != 7 || m.kind != unix.RTM_NEWLINK || !reflect.DeepEqual(m.body, []byte{1, 2, 3, 4}) {
		t.Errorf("%+v, %+v, %v", h, m, err)
	}
	if h, m, rest, err = next(rest); err != nil || h.seq != 8 || m.kind != unix.NLMSG_DONE || len(rest) != 0 {
		t.Errorf("%+v, %+v, %v, %v", h, m, rest, err)
	}
	for _, broken := range [][]byte{two[:3], two[:unix.NLMSG_HDRLEN+1], make([]byte, unix.NLMSG_HDRLEN)} {
		if _, _, _, err := next(broken); !errors.Is(err, errMalformed) {
			t.Errorf("%v: %v", broken, err)
		}
	}
}

func TestAttrs(t *testing.T) {
	list := attrs{textAttr(unix.IFLA_IFNAME, "eth0"), numberAttr(unix.IFLA_MTU, 1500)}
	text := list.encode(nil)
	got, err := parseAttrs(text)
	if err != nil || got.text(unix.IFLA_IFNAME) != "eth0" {
		t.Errorf("%v, %v", got, err)
	}
	if n, ok := got.number(unix.IFLA_MTU); n != 1500 || !ok {
		t.Errorf("%d, %v", n, ok)
	}
	if _, ok := got.number(unix.IFLA_MASTER); ok {
		t.Error("found an absent attribute")
	}
	for _, broken := range [][]byte{text[:6], {0, 0, 1, 0}} {
		if got, err := parseAttrs(broken); err == nil {
			t.Errorf("%v: %v", broken, got)
		}
	}
}

func TestAddress(t *testing.T) {
	encode := func(flags uint32, scope byte) []byte {
		a := address{family: unix.AF_INET, prefix: 24, scope: scope, list: attrs{
			{unix.IFA_LOCAL, []byte{192, 0, 2, 1}}, textAttr(unix.IFA_LABEL, "eth0:x"), numberAttr(unix.IFA_FLAGS, flags),
		}}
		return a.encode(5)
	}
	a, index, moves, err := parseAddress(encode(unix.IFA_F_PERMANENT|unix.IFA_F_SECONDARY|unix.IFA_F_NODAD, unix.RT_SCOPE_UNIVERSE))
	if err != nil || index != 5 || !moves || a.String() != "192.0.2.1/24" {
		t.Errorf("%v, %d, %v, %v", a, index, moves, err)
	}
	if flags, _ := a.list.number(unix.IFA_FLAGS); flags != unix.IFA_F_NODAD {
		t.Errorf("flags %#x", flags)
	}
	for name, want := range map[string]string{"e": "e:x", "a-name-that-fit": "eth0:x"} {
		if got := a.renamed("eth0", name).list.text(unix.IFA_LABEL); got != want {
			t.Errorf("label on %q: got %q, want %q", name, got, want)
		}
	}
	if _, _, moves, _ = parseAddress(encode(0, unix.RT_SCOPE_UNIVERSE)); moves {
		t.Error("a temporary address moves")
	}
	if _, _, moves, _ = parseAddress(encode(unix.IFA_F_PERMANENT, unix.RT_SCOPE_LINK)); moves {
		t.Error("a link-local address moves")
	}
}

func TestMovedTo(t *testing.T) {
	body := linkMessage(3, 0, 0, attrs{numberAttr(unix.IFLA_NEW_NETNSID, 9), numberAttr(unix.IFLA_NEW_IFINDEX, 8)})
	for _, test := range []struct {
		m    message
		want int32
	}{
		{message{unix.RTM_DELLINK, body}, 8},
		{message{unix.RTM_NEWLINK, body}, 0},
		{message{unix.RTM_DELLINK, linkMessage(4, 0, 0, attrs{numberAttr(unix.IFLA_NEW_IFINDEX, 8)})}, 0},
		{message{unix.RTM_DELLINK, linkMessage(3, 0, 0, nil)}, 0},
		{message{unix.RTM_DELLINK, body[:4]}, 0},
	} {
		if got, _ := movedTo(test.m, 3); got != test.want {
			t.Errorf("%v: got %d, want %d", test.m, got, test.want)
		}
	}
}
