package stub

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Prctl queues prctl(2).
func (p *Proc) Prctl(option int, args ...uint64) *Value {
	list := []arg{num(option), num(0), num(0), num(0), num(0)}
	for i, a := range args {
		list[1+i] = num(a)
	}
	return p.queue("prctl", unix.SYS_PRCTL, list...)
}

// SetName queues prctl(2) that sets the name of the process, as ps(1) shows it.
func (p *Proc) SetName(name string) *Value {
	return p.queue("prctl", unix.SYS_PRCTL, num(unix.PR_SET_NAME), p.str(name), num(0), num(0), num(0))
}

// Unshare queues unshare(2).
func (p *Proc) Unshare(flags uint64) *Value {
	return p.queue("unshare", unix.SYS_UNSHARE, hex(flags))
}

// Setns queues setns(2).
func (p *Proc) Setns(fd *Value, flags uint64) *Value {
	return p.queue("setns", unix.SYS_SETNS, val(fd), hex(flags))
}

// Getpid queues getpid(2): the pid in the process's own pid namespace.
func (p *Proc) Getpid() *Value { return p.queue("getpid", unix.SYS_GETPID) }

// Setsid queues setsid(2).
func (p *Proc) Setsid() *Value { return p.queue("setsid", unix.SYS_SETSID) }

// Umask queues umask(2), which cannot fail.
func (p *Proc) Umask(mask uint32) *Value { return p.queue("umask", unix.SYS_UMASK, hex(mask)) }

// Sethostname queues sethostname(2).
func (p *Proc) Sethostname(name string) *Value {
	return p.queue("sethostname", unix.SYS_SETHOSTNAME, p.str(name), num(len(name)))
}

// Setdomainname queues setdomainname(2).
func (p *Proc) Setdomainname(name string) *Value {
	return p.queue("setdomainname", unix.SYS_SETDOMAINNAME, p.str(name), num(len(name)))
}

// Setgroups queues setgroups(2).
func (p *Proc) Setgroups(gids []uint32) *Value {
	b := make([]byte, 0, 4*len(gids))
	for _, g := range gids {
		b = binary.NativeEndian.AppendUint32(b, g)
	}
	return p.queue("setgroups", sysSetgroups, num(len(gids)), data(b))
}

// Setresgid queues setresgid(2) with one id for all three.
func (p *Proc) Setresgid(gid uint32) *Value {
	return p.queue("setresgid", sysSetresgid, num(gid), num(gid), num(gid))
}

// Setresuid queues setresuid(2) with one id for all three.
func (p *Proc) Setresuid(uid uint32) *Value {
	return p.queue("setresuid", sysSetresuid, num(uid), num(uid), num(uid))
}

// SchedSetaffinity queues sched_setaffinity(2) for the process itself, with a
// mask of 64-bit words.
func (p *Proc) SchedSetaffinity(mask []uint64) *Value {
	return p.queue("sched_setaffinity", unix.SYS_SCHED_SETAFFINITY, num(0), num(8*len(mask)), data(words(mask...)))
}

// IoprioSet queues ioprio_set(2) for the process itself.
func (p *Proc) IoprioSet(value int) *Value {
	const ioprioWhoProcess = 1
	return p.queue("ioprio_set", unix.SYS_IOPRIO_SET, num(ioprioWhoProcess), num(0), hex(uint64(value)))
}

// Personality queues personality(2).
func (p *Proc) Personality(persona uint32) *Value {
	return p.queue("personality", unix.SYS_PERSONALITY, hex(persona))
}

// SetMempolicy queues set_mempolicy(2), with a mask of nodes in 64-bit words.
func (p *Proc) SetMempolicy(mode int, nodes []uint64) *Value {
	// The kernel subtracts one from the number of bits (mm/mempolicy.c,
	// get_nodes).
	return p.queue("set_mempolicy", unix.SYS_SET_MEMPOLICY, hex(uint64(mode)), data(words(nodes...)), num(64*len(nodes)+1))
}

// Capset queues capset(2) for the calling thread; the sets are masks with bit
// N for capability N.
func (p *Proc) Capset(effective, permitted, inheritable uint64) *Value {
	ne := binary.NativeEndian
	header := ne.AppendUint32(nil, unix.LINUX_CAPABILITY_VERSION_3)
	header = ne.AppendUint32(header, 0)
	var sets []byte
	for _, shift := range []int{0, 32} {
		for _, set := range []uint64{effective, permitted, inheritable} {
			sets = ne.AppendUint32(sets, uint32(set>>shift))
		}
	}
	masks := data(sets)
	masks.s = "{eff=" + hex(effective).String() + ", prm=" + hex(permitted).String() + ", inh=" + hex(inheritable).String() + "}"
	return p.queue("capset", unix.SYS_CAPSET, data(header), masks)
}

// Socket queues socket(2).
func (p *Proc) Socket(domain, typ, proto int) *Value {
	return p.queue("socket", unix.SYS_SOCKET, num(domain), hex(typ), num(proto))
}

// JoinSessionKeyring queues keyctl(2) with KEYCTL_JOIN_SESSION_KEYRING.
func (p *Proc) JoinSessionKeyring(name string) *Value {
	return p.queue("keyctl", unix.SYS_KEYCTL, num(unix.KEYCTL_JOIN_SESSION_KEYRING), p.str(name))
}

// Setrlimit queues prlimit64(2) that sets a limit of the stub.
func (p *Proc) Setrlimit(resource int, soft, hard uint64) *Value {
	return p.queue("prlimit64", unix.SYS_PRLIMIT64, num(0), num(resource), data(words(soft, hard)), hex(0))
}

// SigDefault queues rt_sigaction(2) that sets the default action of a signal.
func (p *Proc) SigDefault(sig int) *Value {
	return p.queue("rt_sigaction", unix.SYS_RT_SIGACTION, num(sig), p.sigaction(0, 0, 0), hex(0), num(8))
}

// sigExit queues rt_sigaction(2) with a handler that ends the stub: the init of
// a pid namespace gets no signal without a handler (pid_namespaces(7)). execve
// resets it.
func (p *Proc) sigExit(sig int, handler uint64) {
	// x86-64 delivers no signal without a restorer; this handler never returns. riscv64
	// and loong64 have no restorer: there its word is the mask, which has no effect as the handler exits.
	const restorer = 0x04000000 // SA_RESTORER
	p.queue("rt_sigaction", unix.SYS_RT_SIGACTION, num(sig), p.sigaction(handler, restorer, handler), hex(0), num(8))
}

// sigaction is struct sigaction of the kernel; its mask is empty.
func (p *Proc) sigaction(handler, flags, restorer uint64) arg {
	return data(append(p.longs(handler, flags, restorer), words(0)...))
}

// SigUnblockAll queues rt_sigprocmask(2) that empties the signal mask.
func (p *Proc) SigUnblockAll() *Value {
	return p.queue("rt_sigprocmask", unix.SYS_RT_SIGPROCMASK, num(unix.SIG_SETMASK), data(words(0)), hex(0), num(8))
}

// Execve queues execve(2). It must be the last call of its batch.
func (p *Proc) Execve(path string, argv, env []string) *Value {
	return p.queue("execve", unix.SYS_EXECVE, p.str(path), p.list(argv), p.list(env))
}
