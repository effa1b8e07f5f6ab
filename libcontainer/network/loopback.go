// Package network sets up the network devices of a container's network
// namespace.
package network

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/stub"
)

// LoopbackUp queues the calls that bring up "lo" in the stub's network
// namespace; the kernel then gives it 127.0.0.1 and ::1 itself.
func LoopbackUp(p *stub.Proc) {
	// struct ifreq (netdevice(7)): 16 bytes of name, 24 of which the flags
	// are the first two.
	req := make([]byte, 40)
	copy(req, "lo")
	binary.NativeEndian.PutUint16(req[unix.IFNAMSIZ:], unix.IFF_UP|unix.IFF_RUNNING)
	sock := p.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	p.Ioctl(sock, unix.SIOCSIFFLAGS, req)
	p.CloseFd(sock)
}
