package stub

import "golang.org/x/sys/unix"

// Numbers of the calls that came when 16 bits were too few for an ID, or 32 for a size, an
// offset, or a time.
const (
	sysFstatfs   = unix.SYS_FSTATFS64
	sysFtruncate = unix.SYS_FTRUNCATE64
	sysLseek     = unix.SYS__LLSEEK
	sysSetgroups = unix.SYS_SETGROUPS32
	sysSetresgid = unix.SYS_SETRESGID32
	sysSetresuid = unix.SYS_SETRESUID32
	sysUtimensat = unix.SYS_UTIMENSAT_TIME64
)
