package main

import (
	"golang.org/x/sys/unix"
)

// callInfo describes a system call.
type callInfo struct {
	name string
	// shape has a letter for each argument that a point shows: a is the directory of the
	// path p that follows it, p a path or another string, d a descriptor, x a number; with
	// -, an argument is not shown.
	shape string
	// effect reports whether something of the call outlives its process. Without it,
	// none does.
	effect func(args [6]uint64) bool
}

func always([6]uint64) bool { return true }

// opensForWriting is for openat: it may create or truncate a file.
func opensForWriting(args [6]uint64) bool {
	return args[2]&(unix.O_CREAT|unix.O_TRUNC|unix.O_ACCMODE) != 0
}

// seals is for fcntl.
func seals(args [6]uint64) bool { return args[1] == unix.F_ADD_SEALS }

// infos are the calls that berth makes, by number. Others are counted without a shape,
// as calls with an effect.
var infos = map[int]callInfo{
	unix.SYS_ACCEPT4:           {"accept4", "d", always},
	unix.SYS_ADD_KEY:           {"add_key", "pp", always},
	unix.SYS_BIND:              {"bind", "d", always},
	unix.SYS_BPF:               {"bpf", "x", always},
	unix.SYS_CAPGET:            {"capget", "", nil},
	unix.SYS_CAPSET:            {"capset", "", nil},
	unix.SYS_CHDIR:             {"chdir", "p", nil},
	unix.SYS_CHROOT:            {"chroot", "p", nil},
	unix.SYS_CLONE:             {"clone", "", always},
	unix.SYS_CLONE3:            {"clone3", "", always},
	unix.SYS_CLOSE:             {"close", "d", nil},
	unix.SYS_CLOSE_RANGE:       {"close_range", "", nil},
	unix.SYS_CONNECT:           {"connect", "d", always},
	unix.SYS_COPY_FILE_RANGE:   {"copy_file_range", "d-d", always},
	unix.SYS_DUP3:              {"dup3", "dx", nil},
	unix.SYS_EXECVE:            {"execve", "p", always},
	unix.SYS_EXECVEAT:          {"execveat", "ap", always},
	unix.SYS_EXIT_GROUP:        {"exit_group", "", nil},
	unix.SYS_FACCESSAT:         {"faccessat", "ap", nil},
	unix.SYS_FACCESSAT2:        {"faccessat2", "ap", nil},
	unix.SYS_FALLOCATE:         {"fallocate", "d", always},
	unix.SYS_FCHDIR:            {"fchdir", "d", nil},
	unix.SYS_FCHMOD:            {"fchmod", "d", always},
	unix.SYS_FCHMODAT:          {"fchmodat", "ap", always},
	unix.SYS_FCHOWN:            {"fchown", "d", always},
	unix.SYS_FCHOWNAT:          {"fchownat", "ap", always},
	unix.SYS_FCNTL:             {"fcntl", "dx", seals},
	unix.SYS_FLOCK:             {"flock", "dx", always},
	unix.SYS_FSCONFIG:          {"fsconfig", "dxp", always},
	unix.SYS_FSETXATTR:         {"fsetxattr", "dp", always},
	unix.SYS_FSMOUNT:           {"fsmount", "d", always},
	unix.SYS_FSOPEN:            {"fsopen", "p", always},
	unix.SYS_FSPICK:            {"fspick", "ap", always},
	unix.SYS_FSTAT:             {"fstat", "d", nil},
	unix.SYS_FSTATFS:           {"fstatfs", "d", nil},
	unix.SYS_FTRUNCATE:         {"ftruncate", "dx", always},
	unix.SYS_GETCWD:            {"getcwd", "", nil},
	unix.SYS_GETDENTS64:        {"getdents64", "d", nil},
	unix.SYS_GETEGID:           {"getegid", "", nil},
	unix.SYS_GETEUID:           {"geteuid", "", nil},
	unix.SYS_GETPEERNAME:       {"getpeername", "d", nil},
	unix.SYS_GETPID:            {"getpid", "", nil},
	unix.SYS_GETGID:            {"getgid", "", nil},
	unix.SYS_GETUID:            {"getuid", "", nil},
	unix.SYS_GETSOCKNAME:       {"getsockname", "d", nil},
	unix.SYS_GETSOCKOPT:        {"getsockopt", "dxx", nil},
	unix.SYS_INOTIFY_ADD_WATCH: {"inotify_add_watch", "dp", nil},
	unix.SYS_INOTIFY_INIT1:     {"inotify_init1", "", nil},
	unix.SYS_IOCTL:             {"ioctl", "dx", always},
	unix.SYS_IOPRIO_SET:        {"ioprio_set", "x-x", nil},
	unix.SYS_KEYCTL:            {"keyctl", "x", always},
	unix.SYS_KILL:              {"kill", "-x", always},
	unix.SYS_LINKAT:            {"linkat", "apap", always},
	unix.SYS_LISTEN:            {"listen", "d", always},
	unix.SYS_LSEEK:             {"lseek", "d", nil},
	unix.SYS_MEMFD_CREATE:      {"memfd_create", "p", nil},
	unix.SYS_MKDIRAT:           {"mkdirat", "ap", always},
	unix.SYS_MKNODAT:           {"mknodat", "ap", always},
	unix.SYS_MOUNT:             {"mount", "pppx", always},
	unix.SYS_MOUNT_SETATTR:     {"mount_setattr", "ap", always},
	unix.SYS_MOVE_MOUNT:        {"move_mount", "apap", always},
	unix.SYS_OPENAT:            {"openat", "apx", opensForWriting},
	unix.SYS_OPENAT2:           {"openat2", "ap", nil},
	unix.SYS_OPEN_TREE:         {"open_tree", "apx", nil},
	unix.SYS_PERSONALITY:       {"personality", "x", nil},
	unix.SYS_PIDFD_GETFD:       {"pidfd_getfd", "", nil},
	unix.SYS_PIDFD_OPEN:        {"pidfd_open", "", nil},
	unix.SYS_PIDFD_SEND_SIGNAL: {"pidfd_send_signal", "-x", always},
	unix.SYS_PIPE2:             {"pipe2", "", nil},
	unix.SYS_PIVOT_ROOT:        {"pivot_root", "pp", always},
	unix.SYS_PPOLL:             {"ppoll", "", nil},
	unix.SYS_PRCTL:             {"prctl", "xx", nil},
	unix.SYS_PRLIMIT64:         {"prlimit64", "-x", nil},
	unix.SYS_PWRITE64:          {"pwrite64", "d", always},
	unix.SYS_READ:              {"read", "d", nil},
	unix.SYS_READLINKAT:        {"readlinkat", "ap", nil},
	unix.SYS_RECVFROM:          {"recvfrom", "d", nil},
	unix.SYS_RECVMSG:           {"recvmsg", "d", nil},
	unix.SYS_RENAMEAT:          {"renameat", "apap", always},
	unix.SYS_RENAMEAT2:         {"renameat2", "apap", always},
	unix.SYS_RT_SIGACTION:      {"rt_sigaction", "x", nil},
	unix.SYS_RT_SIGPROCMASK:    {"rt_sigprocmask", "", nil},
	unix.SYS_MMAP:              {"mmap", "", nil},
	unix.SYS_MUNMAP:            {"munmap", "", nil},
	unix.SYS_MADVISE:           {"madvise", "--x", nil},
	unix.SYS_SCHED_SETAFFINITY: {"sched_setaffinity", "", nil},
	unix.SYS_SECCOMP:           {"seccomp", "xx", nil},
	unix.SYS_SENDFILE:          {"sendfile", "dd", always},
	unix.SYS_SENDMSG:           {"sendmsg", "d", always},
	unix.SYS_SENDTO:            {"sendto", "d", always},
	unix.SYS_SETGID:            {"setgid", "x", nil},
	unix.SYS_SETGROUPS:         {"setgroups", "x", nil},
	unix.SYS_SETHOSTNAME:       {"sethostname", "p", always},
	unix.SYS_SETDOMAINNAME:     {"setdomainname", "p", always},
	unix.SYS_SETNS:             {"setns", "dx", nil},
	unix.SYS_SETPRIORITY:       {"setpriority", "x", nil},
	unix.SYS_SETRESGID:         {"setresgid", "x", nil},
	unix.SYS_SETRESUID:         {"setresuid", "x", nil},
	unix.SYS_SETSID:            {"setsid", "", nil},
	unix.SYS_SETSOCKOPT:        {"setsockopt", "dxx", nil},
	unix.SYS_SETUID:            {"setuid", "x", nil},
	unix.SYS_SHUTDOWN:          {"shutdown", "d", always},
	unix.SYS_SOCKET:            {"socket", "xx", nil},
	unix.SYS_SOCKETPAIR:        {"socketpair", "x", nil},
	unix.SYS_SPLICE:            {"splice", "d-d", always},
	unix.SYS_STATFS:            {"statfs", "p", nil},
	unix.SYS_STATX:             {"statx", "ap", nil},
	unix.SYS_SYMLINKAT:         {"symlinkat", "pap", always},
	unix.SYS_UMASK:             {"umask", "x", nil},
	unix.SYS_UMOUNT2:           {"umount2", "px", always},
	unix.SYS_UNAME:             {"uname", "", nil},
	unix.SYS_UNLINKAT:          {"unlinkat", "ap", always},
	unix.SYS_UNSHARE:           {"unshare", "x", nil},
	unix.SYS_WAIT4:             {"wait4", "", always},
	unix.SYS_WAITID:            {"waitid", "x", always},
	unix.SYS_WRITE:             {"write", "d", always},
	newfstatat:                 {"newfstatat", "ap", nil},
}

// ignored are calls of Go's runtime, which are not counted.
var ignored = map[int]bool{
	unix.SYS_BRK: true, unix.SYS_CLOCK_GETTIME: true, unix.SYS_CLOCK_NANOSLEEP: true,
	unix.SYS_EPOLL_CREATE1: true, unix.SYS_EPOLL_CTL: true, unix.SYS_EPOLL_PWAIT: true,
	unix.SYS_EVENTFD2: true, unix.SYS_EXIT: true, unix.SYS_EXIT_GROUP: true, unix.SYS_FUTEX: true,
	unix.SYS_GETPID: true, unix.SYS_GETRANDOM: true, unix.SYS_GETTID: true, unix.SYS_MADVISE: true,
	unix.SYS_MINCORE: true, unix.SYS_MMAP: true, unix.SYS_MPROTECT: true, unix.SYS_MUNMAP: true,
	unix.SYS_NANOSLEEP: true, unix.SYS_PREAD64: true, unix.SYS_RESTART_SYSCALL: true,
	unix.SYS_RT_SIGACTION: true, unix.SYS_RT_SIGPROCMASK: true, unix.SYS_RT_SIGRETURN: true,
	unix.SYS_SCHED_GETAFFINITY: true, unix.SYS_SCHED_YIELD: true, unix.SYS_SETITIMER: true,
	unix.SYS_SIGALTSTACK: true, unix.SYS_TGKILL: true, unix.SYS_TIMER_CREATE: true,
	unix.SYS_TIMER_DELETE: true, unix.SYS_TIMER_SETTIME: true,
}

// ofGo reports whether Go's runtime makes the call.
func ofGo(number int, args [6]uint64) bool {
	switch number {
	case unix.SYS_CLONE:
		return args[0]&unix.CLONE_THREAD != 0
	case unix.SYS_PRCTL:
		return args[0] == unix.PR_SET_VMA
	case unix.SYS_FCNTL:
		return args[1] == unix.F_GETFL || args[1] == unix.F_SETFL
	}
	return ignored[number]
}
