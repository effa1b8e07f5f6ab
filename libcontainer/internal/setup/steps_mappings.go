package setup

import (
	"fmt"

	"github.com/berth-oci/berth/internal/idmap"
)

// takeMappings uses the mappings of config.json, which are empty without a user
// namespace.
func takeMappings(r *run) error {
	r.maps = idmap.Maps{UIDs: r.cfg.UIDMappings, GIDs: r.cfg.GIDMappings}
	return nil
}

// readMappings reads the mappings of the user namespace that the container joined.
func readMappings(r *run) (err error) {
	r.maps, err = idmap.Read(r.state.Pid)
	return err
}

// hostUID returns the host's ID of a user of the container.
func (r *run) hostUID(uid uint32) (uint32, error) {
	if !hasUserNamespace(r.cfg) {
		return uid, nil
	}
	id, ok := idmap.ToHost(r.maps.UIDs, uid)
	if !ok {
		return 0, fmt.Errorf("user %d is not mapped (%s)", uid, idmap.String(r.maps.UIDs))
	}
	return id, nil
}

// checkUser refuses a process with IDs that the container does not map.
func checkUser(r *run) error {
	return r.maps.CheckUser("process", &r.cfg.Process, "the container's %ss")
}
