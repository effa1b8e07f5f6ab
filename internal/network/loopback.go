// Package network sets up the network devices of a container's network
// namespace.
package network

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// loopbackIndex is the index of "lo": the kernel creates it first in every
// network namespace (include/net/flow.h, LOOPBACK_IFINDEX).
const loopbackIndex = 1

// LoopbackUp queues the calls that bring up "lo" in the stub's network
// namespace; the kernel then adds 127.0.0.1 and ::1. They need no AF_INET
// socket, which hardened services may not create (systemd.exec(5),
// RestrictAddressFamilies).
func LoopbackUp(p *stub.Proc) {
	const seq = 1
	up := linkMessage(loopbackIndex, unix.IFF_UP, unix.IFF_UP, nil)
	answer := make([]byte, 256)
	sock := p.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	p.WriteBytes(sock, request(unix.RTM_NEWLINK, 0, seq, up))
	read := p.Read(sock, answer)
	p.CloseFd(sock)
	p.Check(func() error {
		h, m, _, err := next(read.Of(answer))
		if err == nil && (h.seq != seq || m.kind != unix.NLMSG_ERROR) {
			err = errMalformed
		}
		if err == nil {
			err = result(h, m)
		}
		if err != nil {
			return fmt.Errorf("set lo up: %w", err)
		}
		return nil
	})
}
