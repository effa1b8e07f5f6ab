package capabilities

import (
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/stub"
)

// LimitBounding queues the calls that drop every capability up to last (the
// newest one the kernel knows, from /proc/sys/kernel/cap_last_cap) from the
// bounding set, except those in keep. It needs CAP_SETPCAP.
func LimitBounding(p *stub.Proc, keep uint64, last int) {
	for c := 0; c <= last; c++ {
		if keep&(1<<c) == 0 {
			p.Prctl(unix.PR_CAPBSET_DROP, uint64(c)).Remedy(remedyBounding)
		}
	}
}

func remedyBounding(errno unix.Errno) string {
	if errno == unix.EPERM {
		return "the runtime needs CAP_SETPCAP"
	}
	return ""
}

// KeepOverSetuid queues the call that keeps the permitted set over a change
// from uid 0 to another; execve resets it.
func KeepOverSetuid(p *stub.Proc) { p.Prctl(unix.PR_SET_KEEPCAPS, 1) }

// Apply queues the calls that set the effective, permitted, inheritable and
// ambient sets. The kernel only accepts an ambient capability that is permitted
// and inheritable (capabilities(7)); Apply leaves others out, as runc does.
func Apply(p *stub.Proc, caps config.Capabilities) {
	p.Capset(caps.Effective, caps.Permitted, caps.Inheritable).Remedy(func(errno unix.Errno) string {
		if own := permitted(); errno == unix.EPERM && own != 0 {
			return remedy(caps, own)
		}
		return ""
	})
	p.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL)
	ambient := caps.Ambient &^ notRaisable(caps)
	for c := range 64 {
		if ambient&(1<<c) != 0 {
			p.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uint64(c))
		}
	}
}

// remedy names the capabilities that are not in own, the permitted set of the runtime.
func remedy(caps config.Capabilities, own uint64) string {
	lacked := (caps.Permitted | caps.Inheritable) &^ own
	if lacked == 0 {
		return ""
	}
	return "leave out of process.capabilities what the runtime itself lacks: " + strings.Join(List(lacked), ", ")
}

// permitted returns the permitted set of this thread. It is 0 for an unprivileged user:
// that user's stub has the capabilities of its own user namespace.
func permitted() uint64 {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if unix.Capget(&header, &sets[0]) != nil {
		return 0
	}
	return uint64(sets[1].Permitted)<<32 | uint64(sets[0].Permitted)
}

// notRaisable returns the ambient capabilities that the kernel would refuse.
func notRaisable(caps config.Capabilities) uint64 {
	return caps.Ambient &^ (caps.Permitted & caps.Inheritable)
}

// WithAdmin adds CAP_SYS_ADMIN to the permitted and the effective set, which
// execve replaces. It does not change the other sets.
func WithAdmin(caps config.Capabilities) config.Capabilities {
	caps.Ambient &^= notRaisable(caps)
	caps.Permitted |= 1 << unix.CAP_SYS_ADMIN
	caps.Effective |= 1 << unix.CAP_SYS_ADMIN
	return caps
}

// Known limits the sets to the capabilities that the kernel knows, up to last.
func Known(caps config.Capabilities, last int) config.Capabilities {
	known := uint64(1)<<(last+1) - 1
	return config.Capabilities{
		Bounding:    caps.Bounding & known,
		Effective:   caps.Effective & known,
		Inheritable: caps.Inheritable & known,
		Permitted:   caps.Permitted & known,
		Ambient:     caps.Ambient & known,
	}
}
