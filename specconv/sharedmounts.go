package specconv

import (
	"strings"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// checkSharedMounts refuses fields that a container cannot have in the mount
// namespace of the runtime, or in one given by path.
func checkSharedMounts(out *config.Config, linux *specs.Linux) error {
	if out.Namespaces.New&unix.CLONE_NEWNS != 0 {
		return nil
	}
	if err := checkMountOwner(out.Namespaces); err != nil {
		return err
	}
	if out.RootfsPropagation&^unix.MS_REC&^unix.MS_PRIVATE != 0 {
		return fieldErr("linux.rootfsPropagation", `%s needs a new "mount" namespace: without it the root is "private"`, config.Quote(linux.RootfsPropagation))
	}
	if out.Namespaces.Has(unix.CLONE_NEWNS) {
		return nil
	}
	for _, list := range []struct {
		field string
		paths []string
	}{{"linux.maskedPaths", out.MaskedPaths}, {"linux.readonlyPaths", out.ReadonlyPaths}} {
		if len(list.paths) > 0 {
			return fieldErr(list.field, `needs a "mount" namespace in linux.namespaces: in the host's, a process that leaves the root would see the paths`)
		}
	}
	return nil
}

// checkMountOwner refuses a user namespace that does not own the mount
// namespace.
func checkMountOwner(n config.Namespaces) error {
	if !n.Has(unix.CLONE_NEWUSER) {
		return nil
	}
	for _, join := range n.Join {
		if join.Type == unix.CLONE_NEWNS && n.New&unix.CLONE_NEWUSER != 0 {
			return fieldErr(strings.TrimSuffix(join.Field, ".path"), "%s: a new user namespace has no rights over a mount namespace that exists: join the user namespace that owns it", config.Quote(join.Path))
		}
	}
	if !n.Has(unix.CLONE_NEWNS) {
		return fieldErr("linux.namespaces", `a "user" namespace needs a "mount" namespace: it has no rights over the host's mounts`)
	}
	return nil
}
