package network

import (
	"bytes"
	"testing"

	"golang.org/x/sys/unix"
)

// FuzzMessages parses a datagram as do does, and each message as all that it could be.
func FuzzMessages(f *testing.F) {
	link := linkMessage(3, unix.IFF_UP, 0, attrs{textAttr(unix.IFLA_IFNAME, "eth0"), numberAttr(unix.IFLA_NEW_IFINDEX, 7)})
	f.Add(reply(unix.RTM_DELLINK, 0, 0, link))
	f.Add(append(reply(unix.RTM_NEWLINK, 0, 1, link), reply(unix.NLMSG_DONE, 0, 1, make([]byte, 4))...))
	f.Add(reply(unix.NLMSG_ERROR, unix.NLM_F_ACK_TLVS|unix.NLM_F_CAPPED, 1, append([]byte{0xea, 0xff, 0xff, 0xff}, make([]byte, 40)...)))
	f.Add(reply(unix.RTM_NEWADDR, 0, 1, address{list: attrs{{unix.IFA_LOCAL, []byte{127, 0, 0, 1}}, textAttr(unix.IFA_LABEL, "eth0:1")}}.encode(3)))
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		for rest := datagram; len(rest) > 0; {
			h, m, after, err := next(rest)
			if err != nil {
				return
			}
			if len(after) >= len(rest) {
				t.Fatalf("no progress in %x", rest)
			}
			rest = after
			_ = result(h, m) // any error
			index, _, list, err := parseLink(m.body)
			if err == nil {
				again, err := parseAttrs(list.encode(nil))
				if err != nil || len(again) != len(list) {
					t.Errorf("%x: attributes %v, encoded and parsed again %v, %v", m.body, list, again, err)
				}
				for i := range again {
					if again[i].kind != list[i].kind || !bytes.Equal(again[i].value, list[i].value) {
						t.Errorf("%x: attribute %v became %v", m.body, list[i], again[i])
					}
				}
				movedTo(m, index)
			}
			if a, _, _, err := parseAddress(m.body); err == nil {
				_ = a.String()
				_ = a.renamed("eth0", "eth1").encode(1)
			}
		}
	})
}
