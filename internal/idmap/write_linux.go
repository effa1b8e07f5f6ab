package idmap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/sys"
	"github.com/berth-oci/berth/libcontainer/config"
)

// kind holds the differences between the UID map and the GID map.
type kind struct {
	field   string // of config.json
	file    string // in /proc/PID
	helper  string // the program that may write it for an unprivileged user
	granted string // lists the ranges that the helper may write
	cap     string // the capability needed without the helper
}

var (
	uidKind = kind{"linux.uidMappings", "uid_map", "newuidmap", "/etc/subuid", "CAP_SETUID"}
	gidKind = kind{"linux.gidMappings", "gid_map", "newgidmap", "/etc/subgid", "CAP_SETGID"}
)

// Write writes the maps of process pid, which has just made a user namespace.
// Maps that this process is not permitted to write are written by newuidmap and
// newgidmap.
func (m Maps) Write(ctx context.Context, pid int) error {
	if err := write(ctx, uidKind, pid, m.UIDs, uint32(os.Geteuid())); err != nil {
		return err
	}
	if gid := uint32(os.Getegid()); os.Geteuid() != 0 && isOwn(m.GIDs, gid) {
		// An unprivileged process may map its own GID only after it has denied
		// setgroups for good: a dropped group could otherwise grant access that
		// it denies to its members (Linux 3.19, CVE-2014-8989).
		if err := writeFile(pid, "setgroups", "deny"); err != nil {
			return config.FieldErrorf("linux.gidMappings", "%w", err)
		}
	}
	return write(ctx, gidKind, pid, m.GIDs, uint32(os.Getegid()))
}

// isOwn reports whether a mapping has only this one ID, which every process may
// map.
func isOwn(m Mapping, id uint32) bool {
	return len(m) == 1 && m[0].Size == 1 && m[0].HostID == id
}

func write(ctx context.Context, k kind, pid int, m Mapping, own uint32) error {
	text := encode(m)
	if page := os.Getpagesize(); len(text) >= page {
		return config.FieldErrorf(k.field, "%d ranges are %d bytes of text, but the kernel accepts at most %d: use fewer", len(m), len(text), page-1)
	}
	err := writeFile(pid, k.file, text)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, unix.EPERM):
		return config.FieldErrorf(k.field, "%w", err)
	case os.Geteuid() == 0 || isOwn(m, own):
		return config.FieldErrorf(k.field, "%w (needs %s, CAP_SETFCAP for host id 0, and host ids that are mapped in the runtime's own user namespace)", err, k.cap)
	}
	return help(ctx, k, pid, m)
}

// encode returns the text for the kernel (user_namespaces(7)).
func encode(m Mapping) string {
	var b strings.Builder
	for _, r := range m {
		fmt.Fprintf(&b, "%d %d %d\n", r.ContainerID, r.HostID, r.Size)
	}
	return b.String()
}

// writeFile writes a /proc file of a process in one write(2), as the maps
// require.
func writeFile(pid int, name, text string) error {
	path := "/proc/" + strconv.Itoa(pid) + "/" + name
	f, err := sys.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}
