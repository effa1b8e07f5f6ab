//go:build !linux

package abi

// SockFilter is an instruction of classic BPF.
type SockFilter struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// The values of most architectures; of RLIMIT_* and errnos, MIPS has its own.
const (
	AUDIT_ARCH_AARCH64                     = 0xc00000b7
	AUDIT_ARCH_ARM                         = 0x40000028
	AUDIT_ARCH_I386                        = 0x40000003
	AUDIT_ARCH_LOONGARCH64                 = 0xc0000102
	AUDIT_ARCH_M68K                        = 0x4
	AUDIT_ARCH_MIPS                        = 0x8
	AUDIT_ARCH_MIPS64                      = 0x80000008
	AUDIT_ARCH_MIPS64N32                   = 0xa0000008
	AUDIT_ARCH_MIPSEL                      = 0x40000008
	AUDIT_ARCH_MIPSEL64                    = 0xc0000008
	AUDIT_ARCH_MIPSEL64N32                 = 0xe0000008
	AUDIT_ARCH_PARISC                      = 0xf
	AUDIT_ARCH_PARISC64                    = 0x8000000f
	AUDIT_ARCH_PPC                         = 0x14
	AUDIT_ARCH_PPC64                       = 0x80000015
	AUDIT_ARCH_PPC64LE                     = 0xc0000015
	AUDIT_ARCH_RISCV64                     = 0xc00000f3
	AUDIT_ARCH_S390                        = 0x16
	AUDIT_ARCH_S390X                       = 0x80000016
	AUDIT_ARCH_SH                          = 0x2a
	AUDIT_ARCH_SHEL                        = 0x4000002a
	AUDIT_ARCH_X86_64                      = 0xc000003e
	BPF_ABS                                = 0x20
	BPF_ALU                                = 0x4
	BPF_AND                                = 0x50
	BPF_JA                                 = 0x0
	BPF_JEQ                                = 0x10
	BPF_JGE                                = 0x30
	BPF_JGT                                = 0x20
	BPF_JMP                                = 0x5
	BPF_K                                  = 0x0
	BPF_LD                                 = 0x0
	BPF_RET                                = 0x6
	BPF_W                                  = 0x0
	CLONE_NEWCGROUP                        = 0x2000000
	CLONE_NEWIPC                           = 0x8000000
	CLONE_NEWNET                           = 0x40000000
	CLONE_NEWNS                            = 0x20000
	CLONE_NEWPID                           = 0x20000000
	CLONE_NEWTIME                          = 0x80
	CLONE_NEWUSER                          = 0x10000000
	CLONE_NEWUTS                           = 0x4000000
	ENOSYS                                 = 0x26
	EPERM                                  = 0x1
	IFNAMSIZ                               = 0x10
	MOUNT_ATTR_NOATIME                     = 0x10
	MOUNT_ATTR_NODEV                       = 0x4
	MOUNT_ATTR_NODIRATIME                  = 0x80
	MOUNT_ATTR_NOEXEC                      = 0x8
	MOUNT_ATTR_NOSUID                      = 0x2
	MOUNT_ATTR_NOSYMFOLLOW                 = 0x200000
	MOUNT_ATTR_RDONLY                      = 0x1
	MOUNT_ATTR_STRICTATIME                 = 0x20
	MOUNT_ATTR__ATIME                      = 0x70
	MS_PRIVATE                             = 0x40000
	MS_REC                                 = 0x4000
	MS_SHARED                              = 0x100000
	MS_SLAVE                               = 0x80000
	MS_UNBINDABLE                          = 0x20000
	RLIMIT_AS                              = 0x9
	RLIMIT_CORE                            = 0x4
	RLIMIT_CPU                             = 0x0
	RLIMIT_DATA                            = 0x2
	RLIMIT_FSIZE                           = 0x1
	RLIMIT_LOCKS                           = 0xa
	RLIMIT_MEMLOCK                         = 0x8
	RLIMIT_MSGQUEUE                        = 0xc
	RLIMIT_NICE                            = 0xd
	RLIMIT_NOFILE                          = 0x7
	RLIMIT_NPROC                           = 0x6
	RLIMIT_RSS                             = 0x5
	RLIMIT_RTPRIO                          = 0xe
	RLIMIT_RTTIME                          = 0xf
	RLIMIT_SIGPENDING                      = 0xb
	RLIMIT_STACK                           = 0x3
	SCHED_BATCH                            = 0x3
	SCHED_DEADLINE                         = 0x6
	SCHED_FIFO                             = 0x1
	SCHED_FLAG_DL_OVERRUN                  = 0x4
	SCHED_FLAG_KEEP_PARAMS                 = 0x10
	SCHED_FLAG_KEEP_POLICY                 = 0x8
	SCHED_FLAG_RECLAIM                     = 0x2
	SCHED_FLAG_RESET_ON_FORK               = 0x1
	SCHED_FLAG_UTIL_CLAMP_MAX              = 0x40
	SCHED_FLAG_UTIL_CLAMP_MIN              = 0x20
	SCHED_IDLE                             = 0x5
	SCHED_NORMAL                           = 0x0
	SCHED_RR                               = 0x2
	SECCOMP_FILTER_FLAG_LOG                = 0x2
	SECCOMP_FILTER_FLAG_NEW_LISTENER       = 0x8
	SECCOMP_FILTER_FLAG_SPEC_ALLOW         = 0x4
	SECCOMP_FILTER_FLAG_TSYNC              = 0x1
	SECCOMP_FILTER_FLAG_TSYNC_ESRCH        = 0x10
	SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 0x20
	SECCOMP_RET_ACTION_FULL                = 0xffff0000
	SECCOMP_RET_ALLOW                      = 0x7fff0000
	SECCOMP_RET_DATA                       = 0xffff
	SECCOMP_RET_ERRNO                      = 0x50000
	SECCOMP_RET_KILL_PROCESS               = 0x80000000
	SECCOMP_RET_KILL_THREAD                = 0x0
	SECCOMP_RET_LOG                        = 0x7ffc0000
	SECCOMP_RET_TRACE                      = 0x7ff00000
	SECCOMP_RET_TRAP                       = 0x30000
	SECCOMP_RET_USER_NOTIF                 = 0x7fc00000
	S_IFBLK                                = 0x6000
	S_IFCHR                                = 0x2000
	S_IFIFO                                = 0x1000
	S_IFMT                                 = 0xf000
)
