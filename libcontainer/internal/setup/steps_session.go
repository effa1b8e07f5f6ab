package setup

import (
	"golang.org/x/sys/unix"
)

// startSession leaves the caller's session and terminal.
func startSession(r *run) error {
	r.stub.Setsid()
	r.stub.Umask(0)
	return nil
}

// joinKeyring queues the joining of the container's session keyring, which is
// made unless it exists. In the caller's, the program could read the caller's
// keys: a quota of keys that is used up, as others with the same user ID can
// bring about, is an error.
func joinKeyring(r *run) error {
	r.stub.Label("join session keyring")
	// A kernel without CONFIG_KEYS has no keyring to share.
	r.stub.JoinSessionKeyring("_ses." + r.id).MayFail(unix.ENOSYS).Remedy(remedyKeyring)
	r.stub.Label("")
	return nil
}

// remedyKeyring says what the kernel's answer means (keyctl(2)).
func remedyKeyring(e unix.Errno) string {
	switch e {
	case unix.EDQUOT:
		return "the keys of the container's root, and of whoever has the same user id on the host, take all that kernel.keys.maxkeys or kernel.keys.maxbytes allows; --no-new-keyring keeps the caller's keyring"
	case unix.EPERM, unix.EACCES:
		return "a seccomp filter can deny it; --no-new-keyring keeps the caller's keyring"
	}
	return ""
}
