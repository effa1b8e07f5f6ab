package stub

import (
	"encoding/binary"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// showArgs returns the arguments of a call as strace(1) prints them. #N is the
// result of call N, which is not known yet.
func (p *Proc) showArgs(o *op) string {
	parts := make([]string, len(o.args))
	for i, a := range o.args {
		parts[i] = p.showArg(o, i, &a)
	}
	return strings.Join(parts, ", ")
}

func (p *Proc) showArg(o *op, i int, a *arg) string {
	switch a.kind {
	case argVal:
		if a.v.p == p && a.v.queued() {
			return "#" + strconv.Itoa(p.base+a.v.index)
		}
	case argNum, argHex:
		if m := meaningOf(o, i); m != nil {
			return m.show(a.n)
		}
	case argPtr:
		return showStruct(o.name, a)
	}
	return a.String()
}

// showStruct shows structs with flags. It leaves out other structs, and
// buffers.
func showStruct(call string, a *arg) string {
	word := func(i int) uint64 { return binary.NativeEndian.Uint64(a.m.data[8*i:]) }
	switch call {
	case "openat2": // struct open_how
		return "{flags=" + openFlags.show(word(0)) + ", resolve=" + resolveFlags.show(word(2)) + "}"
	case "mount_setattr": // struct mount_attr
		return "{set=" + mountAttrs.show(word(0)) + ", clr=" + mountAttrs.show(word(1)) + ", propagation=" + mountFlags.show(word(2)) + "}"
	case "clone3": // struct clone_args
		return "{flags=" + cloneFlags.show(word(0)) + "}"
	}
	if a.s != "" {
		return a.s
	}
	return "..."
}

// symbol is a constant and its name.
type symbol struct {
	n    uint64
	name string
}

// form is the notation of a number.
type form int

const (
	bits  form = iota // names of the bits that are set
	value             // the name of the value
	octal             // as for chmod(1)
)

// meaning describes the numbers of an argument.
type meaning struct {
	form  form
	names []symbol
}

func (m *meaning) show(n uint64) string {
	switch m.form {
	case octal:
		if n == 0 {
			return "0"
		}
		return "0" + strconv.FormatUint(n, 8)
	case value:
		for _, s := range m.names {
			if s.n == n {
				return s.name
			}
		}
		return strconv.FormatInt(int64(n), 10)
	}
	var set []string
	rest := n
	for _, s := range m.names {
		if s.n == n || (s.n != 0 && rest&s.n == s.n) { // only shown alone
			set = append(set, s.name)
			rest &^= s.n
		}
	}
	if rest != 0 || len(set) == 0 {
		set = append(set, arg{kind: argHex, n: rest}.String())
	}
	return strings.Join(set, "|")
}

// meaningOf returns the meaning of an argument of a call, nil for a mere
// number.
func meaningOf(o *op, i int) *meaning {
	for k := range arguments {
		if a := &arguments[k]; a.call == o.name && a.index == i {
			return a.meaning
		}
	}
	return nil
}

// arguments have the meaning of arguments, by call.
var arguments = [...]struct {
	call    string
	index   int
	meaning *meaning
}{
	{"openat", 2, &openFlags},
	{"openat", 3, &fileMode},
	{"dup3", 2, &openFlags},
	{"statx", 2, &atFlags},
	{"statx", 3, &statxMask},
	{"fchownat", 4, &atFlags},
	{"utimensat", 3, &atFlags},
	{"unlinkat", 2, &unlinkFlags},
	{"faccessat2", 2, &accessModes},
	{"faccessat2", 3, &accessFlags},
	{"fchmodat", 2, &fileMode},
	{"mkdirat", 2, &fileMode},
	{"mknodat", 2, &fileMode},
	{"umask", 0, &fileMode},
	{"lseek", 2, &seekFrom},
	{"fcntl", 1, &fcntlCommands},
	{"ioctl", 1, &ioctlRequests},
	{"mount", 3, &mountFlags},
	{"umount2", 1, &umountFlags},
	{"open_tree", 2, &openTreeFlags},
	{"move_mount", 4, &moveMountFlags},
	{"mount_setattr", 2, &atFlags},
	{"fsopen", 1, &fsopenFlags},
	{"fsconfig", 1, &fsconfigCommands},
	{"fspick", 2, &fspickFlags},
	{"fsmount", 1, &fsmountFlags},
	{"fsmount", 2, &mountAttrs},
	{"unshare", 0, &cloneFlags},
	{"setns", 1, &cloneFlags},
	{"prctl", 0, &prctlOptions},
	{"keyctl", 0, &keyctlCommands},
	{"prlimit64", 1, &rlimits},
	{"rt_sigprocmask", 0, &sigmaskHow},
	{"seccomp", 0, &seccompOperations},
	{"seccomp", 1, &seccompFlags},
	{"socket", 0, &socketDomains},
	{"socket", 1, &socketTypes},
	{"accept4", 3, &socketTypes},
	{"sendmsg", 2, &messageFlags},
	{"recvmsg", 2, &messageFlags},
	{"madvise", 2, &madvice},
}

var fileMode = meaning{form: octal}

var openFlags = meaning{names: []symbol{
	{unix.O_TMPFILE, "O_TMPFILE"}, // has O_DIRECTORY in it
	{unix.O_RDONLY, "O_RDONLY"},
	{unix.O_WRONLY, "O_WRONLY"},
	{unix.O_RDWR, "O_RDWR"},
	{unix.O_PATH, "O_PATH"},
	{unix.O_DIRECTORY, "O_DIRECTORY"},
	{unix.O_NOFOLLOW, "O_NOFOLLOW"},
	{unix.O_CREAT, "O_CREAT"},
	{unix.O_EXCL, "O_EXCL"},
	{unix.O_TRUNC, "O_TRUNC"},
	{unix.O_APPEND, "O_APPEND"},
	{unix.O_NONBLOCK, "O_NONBLOCK"},
	{unix.O_NOCTTY, "O_NOCTTY"},
	{unix.O_NOATIME, "O_NOATIME"},
	{unix.O_CLOEXEC, "O_CLOEXEC"},
}}

var resolveFlags = meaning{names: []symbol{
	{unix.RESOLVE_IN_ROOT, "RESOLVE_IN_ROOT"},
	{unix.RESOLVE_BENEATH, "RESOLVE_BENEATH"},
	{unix.RESOLVE_NO_XDEV, "RESOLVE_NO_XDEV"},
	{unix.RESOLVE_NO_MAGICLINKS, "RESOLVE_NO_MAGICLINKS"},
	{unix.RESOLVE_NO_SYMLINKS, "RESOLVE_NO_SYMLINKS"},
}}

var atFlags = meaning{names: []symbol{
	{unix.AT_EMPTY_PATH, "AT_EMPTY_PATH"},
	{unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"},
	{unix.AT_SYMLINK_FOLLOW, "AT_SYMLINK_FOLLOW"},
	{unix.AT_NO_AUTOMOUNT, "AT_NO_AUTOMOUNT"},
	{unix.AT_RECURSIVE, "AT_RECURSIVE"},
}}

var statxMask = meaning{names: []symbol{{unix.STATX_BASIC_STATS, "STATX_BASIC_STATS"}, {unix.STATX_MNT_ID, "STATX_MNT_ID"}}}

var unlinkFlags = meaning{names: []symbol{{unix.AT_REMOVEDIR, "AT_REMOVEDIR"}}}

var accessModes = meaning{names: []symbol{{unix.R_OK, "R_OK"}, {unix.W_OK, "W_OK"}, {unix.X_OK, "X_OK"}}}

// accessFlags have a bit that is AT_REMOVEDIR elsewhere.
var accessFlags = meaning{names: []symbol{{unix.AT_EACCESS, "AT_EACCESS"}, {unix.AT_EMPTY_PATH, "AT_EMPTY_PATH"}, {unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"}}}

var seekFrom = meaning{form: value, names: []symbol{
	{unix.SEEK_SET, "SEEK_SET"},
	{unix.SEEK_CUR, "SEEK_CUR"},
	{unix.SEEK_END, "SEEK_END"},
	{unix.SEEK_DATA, "SEEK_DATA"},
	{unix.SEEK_HOLE, "SEEK_HOLE"},
}}

var fcntlCommands = meaning{form: value, names: []symbol{
	{unix.F_DUPFD, "F_DUPFD"},
	{unix.F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"},
	{unix.F_GETFD, "F_GETFD"},
	{unix.F_SETFD, "F_SETFD"},
	{unix.F_GETFL, "F_GETFL"},
	{unix.F_SETFL, "F_SETFL"},
	{unix.F_ADD_SEALS, "F_ADD_SEALS"},
}}

var ioctlRequests = meaning{form: value, names: []symbol{
	{unix.TIOCSCTTY, "TIOCSCTTY"},
	{unix.TIOCSWINSZ, "TIOCSWINSZ"},
	{unix.TIOCGPTN, "TIOCGPTN"},
	{unix.TIOCSPTLCK, "TIOCSPTLCK"},
	{unix.TIOCGPTPEER, "TIOCGPTPEER"},
	{unix.FICLONE, "FICLONE"},
	{unix.SIOCGIFFLAGS, "SIOCGIFFLAGS"},
	{unix.SIOCSIFFLAGS, "SIOCSIFFLAGS"},
}}

var mountFlags = meaning{names: []symbol{
	{unix.MS_RDONLY, "MS_RDONLY"},
	{unix.MS_NOSUID, "MS_NOSUID"},
	{unix.MS_NODEV, "MS_NODEV"},
	{unix.MS_NOEXEC, "MS_NOEXEC"},
	{unix.MS_SYNCHRONOUS, "MS_SYNCHRONOUS"},
	{unix.MS_REMOUNT, "MS_REMOUNT"},
	{unix.MS_MANDLOCK, "MS_MANDLOCK"},
	{unix.MS_DIRSYNC, "MS_DIRSYNC"},
	{unix.MS_NOSYMFOLLOW, "MS_NOSYMFOLLOW"},
	{unix.MS_NOATIME, "MS_NOATIME"},
	{unix.MS_NODIRATIME, "MS_NODIRATIME"},
	{unix.MS_BIND, "MS_BIND"},
	{unix.MS_MOVE, "MS_MOVE"},
	{unix.MS_REC, "MS_REC"},
	{unix.MS_SILENT, "MS_SILENT"},
	{unix.MS_UNBINDABLE, "MS_UNBINDABLE"},
	{unix.MS_PRIVATE, "MS_PRIVATE"},
	{unix.MS_SLAVE, "MS_SLAVE"},
	{unix.MS_SHARED, "MS_SHARED"},
	{unix.MS_RELATIME, "MS_RELATIME"},
	{unix.MS_I_VERSION, "MS_I_VERSION"},
	{unix.MS_STRICTATIME, "MS_STRICTATIME"},
	{unix.MS_LAZYTIME, "MS_LAZYTIME"},
}}

var umountFlags = meaning{names: []symbol{
	{unix.MNT_FORCE, "MNT_FORCE"}, {unix.MNT_DETACH, "MNT_DETACH"}, {unix.MNT_EXPIRE, "MNT_EXPIRE"}, {unix.UMOUNT_NOFOLLOW, "UMOUNT_NOFOLLOW"},
}}

var openTreeFlags = meaning{names: []symbol{
	{unix.OPEN_TREE_CLONE, "OPEN_TREE_CLONE"},
	{unix.OPEN_TREE_CLOEXEC, "OPEN_TREE_CLOEXEC"},
	{unix.AT_RECURSIVE, "AT_RECURSIVE"},
	{unix.AT_EMPTY_PATH, "AT_EMPTY_PATH"},
	{unix.AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW"},
	{unix.AT_NO_AUTOMOUNT, "AT_NO_AUTOMOUNT"},
}}

var moveMountFlags = meaning{names: []symbol{
	{unix.MOVE_MOUNT_F_EMPTY_PATH, "MOVE_MOUNT_F_EMPTY_PATH"}, {unix.MOVE_MOUNT_T_EMPTY_PATH, "MOVE_MOUNT_T_EMPTY_PATH"},
}}

var fsopenFlags = meaning{names: []symbol{{unix.FSOPEN_CLOEXEC, "FSOPEN_CLOEXEC"}}}

var fsmountFlags = meaning{names: []symbol{{unix.FSMOUNT_CLOEXEC, "FSMOUNT_CLOEXEC"}}}

var fspickFlags = meaning{names: []symbol{{unix.FSPICK_CLOEXEC, "FSPICK_CLOEXEC"}, {unix.FSPICK_EMPTY_PATH, "FSPICK_EMPTY_PATH"}}}

var fsconfigCommands = meaning{form: value, names: []symbol{
	{unix.FSCONFIG_SET_FLAG, "FSCONFIG_SET_FLAG"},
	{unix.FSCONFIG_SET_STRING, "FSCONFIG_SET_STRING"},
	{unix.FSCONFIG_SET_FD, "FSCONFIG_SET_FD"},
	{unix.FSCONFIG_CMD_CREATE, "FSCONFIG_CMD_CREATE"},
	{unix.FSCONFIG_CMD_RECONFIGURE, "FSCONFIG_CMD_RECONFIGURE"},
}}

var mountAttrs = meaning{names: []symbol{
	{unix.MOUNT_ATTR__ATIME, "MOUNT_ATTR__ATIME"}, // a mask of all the atime bits
	{unix.MOUNT_ATTR_RDONLY, "MOUNT_ATTR_RDONLY"},
	{unix.MOUNT_ATTR_NOSUID, "MOUNT_ATTR_NOSUID"},
	{unix.MOUNT_ATTR_NODEV, "MOUNT_ATTR_NODEV"},
	{unix.MOUNT_ATTR_NOEXEC, "MOUNT_ATTR_NOEXEC"},
	{unix.MOUNT_ATTR_NOATIME, "MOUNT_ATTR_NOATIME"},
	{unix.MOUNT_ATTR_STRICTATIME, "MOUNT_ATTR_STRICTATIME"},
	{unix.MOUNT_ATTR_NODIRATIME, "MOUNT_ATTR_NODIRATIME"},
	{unix.MOUNT_ATTR_IDMAP, "MOUNT_ATTR_IDMAP"},
	{unix.MOUNT_ATTR_NOSYMFOLLOW, "MOUNT_ATTR_NOSYMFOLLOW"},
}}

var cloneFlags = meaning{names: []symbol{
	{unix.CLONE_NEWUSER, "CLONE_NEWUSER"},
	{unix.CLONE_NEWNS, "CLONE_NEWNS"},
	{unix.CLONE_NEWPID, "CLONE_NEWPID"},
	{unix.CLONE_NEWNET, "CLONE_NEWNET"},
	{unix.CLONE_NEWIPC, "CLONE_NEWIPC"},
	{unix.CLONE_NEWUTS, "CLONE_NEWUTS"},
	{unix.CLONE_NEWCGROUP, "CLONE_NEWCGROUP"},
	{unix.CLONE_NEWTIME, "CLONE_NEWTIME"},
	{unix.CLONE_PARENT, "CLONE_PARENT"},
	{unix.CLONE_PARENT_SETTID, "CLONE_PARENT_SETTID"},
	{unix.CLONE_INTO_CGROUP, "CLONE_INTO_CGROUP"},
}}

var prctlOptions = meaning{form: value, names: []symbol{
	{unix.PR_SET_DUMPABLE, "PR_SET_DUMPABLE"},
	{unix.PR_SET_KEEPCAPS, "PR_SET_KEEPCAPS"},
	{unix.PR_SET_NAME, "PR_SET_NAME"},
	{unix.PR_SET_SECCOMP, "PR_SET_SECCOMP"},
	{unix.PR_CAPBSET_READ, "PR_CAPBSET_READ"},
	{unix.PR_CAPBSET_DROP, "PR_CAPBSET_DROP"},
	{unix.PR_SET_SECUREBITS, "PR_SET_SECUREBITS"},
	{unix.PR_SET_NO_NEW_PRIVS, "PR_SET_NO_NEW_PRIVS"},
	{unix.PR_CAP_AMBIENT, "PR_CAP_AMBIENT"},
	{unix.PR_SET_PDEATHSIG, "PR_SET_PDEATHSIG"},
	{unix.PR_SET_CHILD_SUBREAPER, "PR_SET_CHILD_SUBREAPER"},
}}

var keyctlCommands = meaning{form: value, names: []symbol{{unix.KEYCTL_JOIN_SESSION_KEYRING, "KEYCTL_JOIN_SESSION_KEYRING"}}}

var rlimits = meaning{form: value, names: []symbol{
	{unix.RLIMIT_CPU, "RLIMIT_CPU"},
	{unix.RLIMIT_FSIZE, "RLIMIT_FSIZE"},
	{unix.RLIMIT_DATA, "RLIMIT_DATA"},
	{unix.RLIMIT_STACK, "RLIMIT_STACK"},
	{unix.RLIMIT_CORE, "RLIMIT_CORE"},
	{unix.RLIMIT_RSS, "RLIMIT_RSS"},
	{unix.RLIMIT_NPROC, "RLIMIT_NPROC"},
	{unix.RLIMIT_NOFILE, "RLIMIT_NOFILE"},
	{unix.RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK"},
	{unix.RLIMIT_AS, "RLIMIT_AS"},
	{unix.RLIMIT_LOCKS, "RLIMIT_LOCKS"},
	{unix.RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING"},
	{unix.RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE"},
	{unix.RLIMIT_NICE, "RLIMIT_NICE"},
	{unix.RLIMIT_RTPRIO, "RLIMIT_RTPRIO"},
	{unix.RLIMIT_RTTIME, "RLIMIT_RTTIME"},
}}

var sigmaskHow = meaning{form: value, names: []symbol{{unix.SIG_BLOCK, "SIG_BLOCK"}, {unix.SIG_UNBLOCK, "SIG_UNBLOCK"}, {unix.SIG_SETMASK, "SIG_SETMASK"}}}

var seccompOperations = meaning{form: value, names: []symbol{{unix.SECCOMP_SET_MODE_FILTER, "SECCOMP_SET_MODE_FILTER"}}}

var seccompFlags = meaning{names: []symbol{
	{unix.SECCOMP_FILTER_FLAG_TSYNC, "SECCOMP_FILTER_FLAG_TSYNC"},
	{unix.SECCOMP_FILTER_FLAG_LOG, "SECCOMP_FILTER_FLAG_LOG"},
	{unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
	{unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, "SECCOMP_FILTER_FLAG_NEW_LISTENER"},
	{unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH"},
	{unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
}}

var socketDomains = meaning{form: value, names: []symbol{{unix.AF_UNIX, "AF_UNIX"}, {unix.AF_INET, "AF_INET"}, {unix.AF_NETLINK, "AF_NETLINK"}}}

var socketTypes = meaning{names: []symbol{
	{unix.SOCK_RAW, "SOCK_RAW"},
	{unix.SOCK_STREAM, "SOCK_STREAM"},
	{unix.SOCK_DGRAM, "SOCK_DGRAM"},
	{unix.SOCK_CLOEXEC, "SOCK_CLOEXEC"},
	{unix.SOCK_NONBLOCK, "SOCK_NONBLOCK"},
}}

var messageFlags = meaning{names: []symbol{{unix.MSG_NOSIGNAL, "MSG_NOSIGNAL"}, {unix.MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC"}, {unix.MSG_DONTWAIT, "MSG_DONTWAIT"}}}

var madvice = meaning{form: value, names: []symbol{{unix.MADV_DONTNEED, "MADV_DONTNEED"}}}
