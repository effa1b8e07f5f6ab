package idmap

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
)

// helperTime is the timeout of newuidmap and newgidmap, which may have to query
// a directory service.
const helperTime = 30 * time.Second

// help makes newuidmap or newgidmap write a map.
func help(ctx context.Context, k kind, pid int, m Mapping) error {
	path, err := exec.LookPath(k.helper)
	if err != nil {
		return config.FieldErrorf(k.field, "%s: mapping more than the caller's own id needs %s, which is not in $PATH (install the package uidmap, or shadow-utils)", String(m), k.helper)
	}
	ctx, cancel := context.WithTimeout(ctx, helperTime)
	defer cancel()
	args := []string{strconv.Itoa(pid)}
	for _, r := range m {
		for _, n := range []uint32{r.ContainerID, r.HostID, r.Size} {
			args = append(args, strconv.FormatUint(uint64(n), 10))
		}
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	said := strings.Join(strings.Fields(string(out)), " ")
	if said == "" || ctx.Err() != nil {
		said = errors.Join(err, ctx.Err()).Error()
	}
	return config.FieldErrorf(k.field, "%s: %s (%s)", path, said, k.remedy(m, path))
}

// remedy returns why the helper refused the map.
func (k kind) remedy(m Mapping, helper string) string {
	name, id := strconv.Itoa(os.Getuid()), os.Getuid()
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	own := uint32(id)
	if k.file == gidKind.file {
		own = uint32(os.Getgid())
	}
	text, err := os.ReadFile(k.granted)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err.Error()
	}
	ranges := grants(string(text), name, strconv.Itoa(id))
	for _, r := range m {
		if r.HostID == 0 {
			return fmt.Sprintf("an unprivileged user cannot map host id 0, root: map your own id, %d", own)
		}
		if !covered(append(ranges, specs.LinuxIDMapping{HostID: own, Size: 1}), r) {
			return fmt.Sprintf("%s: add the line %q", lacks(k.granted, name, ranges, r), fmt.Sprintf("%s:%d:%d", name, r.HostID, r.Size))
		}
	}
	return fmt.Sprintf("%s grants these ids: check that %q is set-uid root or has the file capability %s, and that neither no_new_privs nor a nosuid mount disables that",
		k.granted, helper, strings.ToLower(k.cap))
}

// grants returns the ranges that /etc/subuid or /etc/subgid (subuid(5)) grants
// to a user, listed by name or by number.
func grants(text, name, id string) Mapping {
	var m Mapping
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) != 3 || (f[0] != name && f[0] != id) {
			continue
		}
		first, err1 := strconv.ParseUint(f[1], 10, 32)
		size, err2 := strconv.ParseUint(f[2], 10, 32)
		if err1 == nil && err2 == nil {
			m = append(m, specs.LinuxIDMapping{HostID: uint32(first), Size: uint32(size)})
		}
	}
	return m
}

// covered reports whether a range lies within one granted range, as the helpers
// require.
func covered(granted Mapping, r specs.LinuxIDMapping) bool {
	for _, g := range granted {
		if r.HostID >= g.HostID && uint64(r.HostID)+uint64(r.Size) <= uint64(g.HostID)+uint64(g.Size) {
			return true
		}
	}
	return false
}

// lacks describes the ranges that a file grants to a user, and the missing one.
func lacks(file, name string, m Mapping, other specs.LinuxIDMapping) string {
	if len(m) == 0 {
		return fmt.Sprintf("%s has no entry for user %q", file, name)
	}
	parts := make([]string, len(m))
	for i, r := range m {
		parts[i] = span(r.HostID, r.Size)
	}
	return fmt.Sprintf("%s grants %s to user %q, not %s", file, strings.Join(parts, ", "), name, span(other.HostID, other.Size))
}
