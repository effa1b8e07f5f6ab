package specconv

import (
	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// convertMappings checks linux.uidMappings and gidMappings (config-linux.md,
// User namespace mappings).
func convertMappings(out *config.Config, linux *specs.Linux) error {
	made := out.Namespaces.New&unix.CLONE_NEWUSER != 0
	uids, gids := linux.UIDMappings, linux.GIDMappings
	for _, side := range []struct {
		field string
		m     idmap.Mapping
	}{{"linux.uidMappings", uids}, {"linux.gidMappings", gids}} {
		switch {
		case len(side.m) == 0 && made:
			return fieldErr(side.field, `missing: a new "user" namespace in linux.namespaces needs mappings of its ids to those of the host`)
		case len(side.m) == 0:
			continue
		case !out.Namespaces.Has(unix.CLONE_NEWUSER):
			return fieldErr(side.field, `needs a "user" namespace in linux.namespaces`)
		}
		if err := idmap.Check(side.field, side.m); err != nil {
			return err
		}
		if _, ok := idmap.ToHost(side.m, 0); !ok {
			return fieldErr(side.field, "container id 0 is not mapped: the container is set up by its root")
		}
	}
	out.UIDMappings, out.GIDMappings = uids, gids
	if len(uids) == 0 || len(gids) == 0 {
		return nil // the mapping of the user is only known when the namespace is joined
	}
	return idmap.Maps{UIDs: uids, GIDs: gids}.CheckUser("process", &out.Process, "linux.%sMappings")
}
