//go:build amd64 || arm64

package abi

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// values are those of Linux.
var values = map[string]uint64{
	"AUDIT_ARCH_AARCH64":                     uint64(unix.AUDIT_ARCH_AARCH64),
	"AUDIT_ARCH_ARM":                         uint64(unix.AUDIT_ARCH_ARM),
	"AUDIT_ARCH_I386":                        uint64(unix.AUDIT_ARCH_I386),
	"AUDIT_ARCH_LOONGARCH64":                 uint64(unix.AUDIT_ARCH_LOONGARCH64),
	"AUDIT_ARCH_M68K":                        uint64(unix.AUDIT_ARCH_M68K),
	"AUDIT_ARCH_MIPS":                        uint64(unix.AUDIT_ARCH_MIPS),
	"AUDIT_ARCH_MIPS64":                      uint64(unix.AUDIT_ARCH_MIPS64),
	"AUDIT_ARCH_MIPS64N32":                   uint64(unix.AUDIT_ARCH_MIPS64N32),
	"AUDIT_ARCH_MIPSEL":                      uint64(unix.AUDIT_ARCH_MIPSEL),
	"AUDIT_ARCH_MIPSEL64":                    uint64(unix.AUDIT_ARCH_MIPSEL64),
	"AUDIT_ARCH_MIPSEL64N32":                 uint64(unix.AUDIT_ARCH_MIPSEL64N32),
	"AUDIT_ARCH_PARISC":                      uint64(unix.AUDIT_ARCH_PARISC),
	"AUDIT_ARCH_PARISC64":                    uint64(unix.AUDIT_ARCH_PARISC64),
	"AUDIT_ARCH_PPC":                         uint64(unix.AUDIT_ARCH_PPC),
	"AUDIT_ARCH_PPC64":                       uint64(unix.AUDIT_ARCH_PPC64),
	"AUDIT_ARCH_PPC64LE":                     uint64(unix.AUDIT_ARCH_PPC64LE),
	"AUDIT_ARCH_RISCV64":                     uint64(unix.AUDIT_ARCH_RISCV64),
	"AUDIT_ARCH_S390":                        uint64(unix.AUDIT_ARCH_S390),
	"AUDIT_ARCH_S390X":                       uint64(unix.AUDIT_ARCH_S390X),
	"AUDIT_ARCH_SH":                          uint64(unix.AUDIT_ARCH_SH),
	"AUDIT_ARCH_SHEL":                        uint64(unix.AUDIT_ARCH_SHEL),
	"AUDIT_ARCH_X86_64":                      uint64(unix.AUDIT_ARCH_X86_64),
	"BPF_ABS":                                uint64(unix.BPF_ABS),
	"BPF_ALU":                                uint64(unix.BPF_ALU),
	"BPF_AND":                                uint64(unix.BPF_AND),
	"BPF_JA":                                 uint64(unix.BPF_JA),
	"BPF_JEQ":                                uint64(unix.BPF_JEQ),
	"BPF_JGE":                                uint64(unix.BPF_JGE),
	"BPF_JGT":                                uint64(unix.BPF_JGT),
	"BPF_JMP":                                uint64(unix.BPF_JMP),
	"BPF_K":                                  uint64(unix.BPF_K),
	"BPF_LD":                                 uint64(unix.BPF_LD),
	"BPF_RET":                                uint64(unix.BPF_RET),
	"BPF_W":                                  uint64(unix.BPF_W),
	"CLONE_NEWCGROUP":                        uint64(unix.CLONE_NEWCGROUP),
	"CLONE_NEWIPC":                           uint64(unix.CLONE_NEWIPC),
	"CLONE_NEWNET":                           uint64(unix.CLONE_NEWNET),
	"CLONE_NEWNS":                            uint64(unix.CLONE_NEWNS),
	"CLONE_NEWPID":                           uint64(unix.CLONE_NEWPID),
	"CLONE_NEWTIME":                          uint64(unix.CLONE_NEWTIME),
	"CLONE_NEWUSER":                          uint64(unix.CLONE_NEWUSER),
	"CLONE_NEWUTS":                           uint64(unix.CLONE_NEWUTS),
	"ENOSYS":                                 uint64(unix.ENOSYS),
	"EPERM":                                  uint64(unix.EPERM),
	"IFNAMSIZ":                               uint64(unix.IFNAMSIZ),
	"MOUNT_ATTR_NOATIME":                     uint64(unix.MOUNT_ATTR_NOATIME),
	"MOUNT_ATTR_NODEV":                       uint64(unix.MOUNT_ATTR_NODEV),
	"MOUNT_ATTR_NODIRATIME":                  uint64(unix.MOUNT_ATTR_NODIRATIME),
	"MOUNT_ATTR_NOEXEC":                      uint64(unix.MOUNT_ATTR_NOEXEC),
	"MOUNT_ATTR_NOSUID":                      uint64(unix.MOUNT_ATTR_NOSUID),
	"MOUNT_ATTR_NOSYMFOLLOW":                 uint64(unix.MOUNT_ATTR_NOSYMFOLLOW),
	"MOUNT_ATTR_RDONLY":                      uint64(unix.MOUNT_ATTR_RDONLY),
	"MOUNT_ATTR_STRICTATIME":                 uint64(unix.MOUNT_ATTR_STRICTATIME),
	"MOUNT_ATTR__ATIME":                      uint64(unix.MOUNT_ATTR__ATIME),
	"MS_PRIVATE":                             uint64(unix.MS_PRIVATE),
	"MS_REC":                                 uint64(unix.MS_REC),
	"MS_SHARED":                              uint64(unix.MS_SHARED),
	"MS_SLAVE":                               uint64(unix.MS_SLAVE),
	"MS_UNBINDABLE":                          uint64(unix.MS_UNBINDABLE),
	"RLIMIT_AS":                              uint64(unix.RLIMIT_AS),
	"RLIMIT_CORE":                            uint64(unix.RLIMIT_CORE),
	"RLIMIT_CPU":                             uint64(unix.RLIMIT_CPU),
	"RLIMIT_DATA":                            uint64(unix.RLIMIT_DATA),
	"RLIMIT_FSIZE":                           uint64(unix.RLIMIT_FSIZE),
	"RLIMIT_LOCKS":                           uint64(unix.RLIMIT_LOCKS),
	"RLIMIT_MEMLOCK":                         uint64(unix.RLIMIT_MEMLOCK),
	"RLIMIT_MSGQUEUE":                        uint64(unix.RLIMIT_MSGQUEUE),
	"RLIMIT_NICE":                            uint64(unix.RLIMIT_NICE),
	"RLIMIT_NOFILE":                          uint64(unix.RLIMIT_NOFILE),
	"RLIMIT_NPROC":                           uint64(unix.RLIMIT_NPROC),
	"RLIMIT_RSS":                             uint64(unix.RLIMIT_RSS),
	"RLIMIT_RTPRIO":                          uint64(unix.RLIMIT_RTPRIO),
	"RLIMIT_RTTIME":                          uint64(unix.RLIMIT_RTTIME),
	"RLIMIT_SIGPENDING":                      uint64(unix.RLIMIT_SIGPENDING),
	"RLIMIT_STACK":                           uint64(unix.RLIMIT_STACK),
	"SCHED_BATCH":                            uint64(unix.SCHED_BATCH),
	"SCHED_DEADLINE":                         uint64(unix.SCHED_DEADLINE),
	"SCHED_FIFO":                             uint64(unix.SCHED_FIFO),
	"SCHED_FLAG_DL_OVERRUN":                  uint64(unix.SCHED_FLAG_DL_OVERRUN),
	"SCHED_FLAG_KEEP_PARAMS":                 uint64(unix.SCHED_FLAG_KEEP_PARAMS),
	"SCHED_FLAG_KEEP_POLICY":                 uint64(unix.SCHED_FLAG_KEEP_POLICY),
	"SCHED_FLAG_RECLAIM":                     uint64(unix.SCHED_FLAG_RECLAIM),
	"SCHED_FLAG_RESET_ON_FORK":               uint64(unix.SCHED_FLAG_RESET_ON_FORK),
	"SCHED_FLAG_UTIL_CLAMP_MAX":              uint64(unix.SCHED_FLAG_UTIL_CLAMP_MAX),
	"SCHED_FLAG_UTIL_CLAMP_MIN":              uint64(unix.SCHED_FLAG_UTIL_CLAMP_MIN),
	"SCHED_IDLE":                             uint64(unix.SCHED_IDLE),
	"SCHED_NORMAL":                           uint64(unix.SCHED_NORMAL),
	"SCHED_RR":                               uint64(unix.SCHED_RR),
	"SECCOMP_FILTER_FLAG_LOG":                uint64(unix.SECCOMP_FILTER_FLAG_LOG),
	"SECCOMP_FILTER_FLAG_NEW_LISTENER":       uint64(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER),
	"SECCOMP_FILTER_FLAG_SPEC_ALLOW":         uint64(unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW),
	"SECCOMP_FILTER_FLAG_TSYNC":              uint64(unix.SECCOMP_FILTER_FLAG_TSYNC),
	"SECCOMP_FILTER_FLAG_TSYNC_ESRCH":        uint64(unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH),
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV": uint64(unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV),
	"SECCOMP_RET_ACTION_FULL":                uint64(unix.SECCOMP_RET_ACTION_FULL),
	"SECCOMP_RET_ALLOW":                      uint64(unix.SECCOMP_RET_ALLOW),
	"SECCOMP_RET_DATA":                       uint64(unix.SECCOMP_RET_DATA),
	"SECCOMP_RET_ERRNO":                      uint64(unix.SECCOMP_RET_ERRNO),
	"SECCOMP_RET_KILL_PROCESS":               uint64(unix.SECCOMP_RET_KILL_PROCESS),
	"SECCOMP_RET_KILL_THREAD":                uint64(unix.SECCOMP_RET_KILL_THREAD),
	"SECCOMP_RET_LOG":                        uint64(unix.SECCOMP_RET_LOG),
	"SECCOMP_RET_TRACE":                      uint64(unix.SECCOMP_RET_TRACE),
	"SECCOMP_RET_TRAP":                       uint64(unix.SECCOMP_RET_TRAP),
	"SECCOMP_RET_USER_NOTIF":                 uint64(unix.SECCOMP_RET_USER_NOTIF),
	"S_IFBLK":                                uint64(unix.S_IFBLK),
	"S_IFCHR":                                uint64(unix.S_IFCHR),
	"S_IFIFO":                                uint64(unix.S_IFIFO),
	"S_IFMT":                                 uint64(unix.S_IFMT),
}

// TestValues compares the values for other systems with those of Linux.
func TestValues(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "values_other.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s is no literal", spec.Names[0])
		}
		got, err := strconv.ParseUint(literal.Value, 0, 64)
		if want, known := values[spec.Names[0].Name]; err != nil || !known || got != want {
			t.Errorf("%s: %s, want %#x, %v", spec.Names[0], literal.Value, want, err)
		}
		seen++
		return false
	})
	if seen != len(values) {
		t.Errorf("%d values, want %d", seen, len(values))
	}
}
