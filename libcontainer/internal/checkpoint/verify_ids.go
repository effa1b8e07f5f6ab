package checkpoint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/libcontainer/config"
)

// verifyMappings compares the mappings of the container's own user namespace, which decide
// on the files of the host that its IDs own.
func verifyMappings(init int, cfg *config.Config) error {
	if cfg.Namespaces.New&unix.CLONE_NEWUSER == 0 {
		return nil
	}
	got, err := idmap.Read(init)
	if err != nil {
		return err
	}
	for _, m := range []struct {
		field     string
		got, want idmap.Mapping
	}{
		{"linux.uidMappings", got.UIDs, cfg.UIDMappings},
		{"linux.gidMappings", got.GIDs, cfg.GIDMappings},
	} {
		if !idmap.Equal(m.got, m.want) {
			return fmt.Errorf("%s: it has %s", m.field, idmap.String(m.got))
		}
	}
	return nil
}

// verifyIDs compares the IDs of a thread with process.user, if the program has no means to
// change them: no capability, and no set-user-ID programs, because of no_new_privs.
func verifyIDs(s status, cfg *config.Config) error {
	p := &cfg.Process
	joins := slices.ContainsFunc(cfg.Namespaces.Join, func(n config.Namespace) bool { return n.Type == unix.CLONE_NEWUSER })
	if !p.NoNewPrivileges || joins {
		return nil
	}
	if all(&p.Capabilities)&(1<<unix.CAP_SETUID) == 0 {
		if err := verifyID(s, "Uid", p.UID, cfg.UIDMappings); err != nil {
			return err
		}
	}
	if all(&p.Capabilities)&(1<<unix.CAP_SETGID) != 0 {
		return nil
	}
	if err := verifyID(s, "Gid", p.GID, cfg.GIDMappings); err != nil {
		return err
	}
	if cfg.Namespaces.New&unix.CLONE_NEWUSER != 0 || cfg.KeepGroups {
		return nil // they may be the runtime's
	}
	return verifyGroups(s, p)
}

// verifyID compares the real, effective, saved and file system ID with an ID of the container.
func verifyID(s status, name string, id uint32, m idmap.Mapping) error {
	if len(m) > 0 {
		host, ok := idmap.ToHost(m, id)
		if !ok {
			return fmt.Errorf("process.user: %s %d is not mapped", name, id)
		}
		id = host
	}
	want := strconv.FormatUint(uint64(id), 10)
	for got := range strings.FieldsSeq(s[name]) {
		if got != want {
			return fmt.Errorf("process.user: its %s is %s, not %s", name, got, want)
		}
	}
	return nil
}

func verifyGroups(s status, p *config.Process) error {
	for got := range strings.FieldsSeq(s["Groups"]) {
		id, err := strconv.ParseUint(got, 10, 32)
		if err != nil {
			return err
		}
		if uint32(id) != p.GID && !slices.Contains(p.AdditionalGIDs, uint32(id)) {
			return fmt.Errorf("process.user: it is in the group %d", id)
		}
	}
	return nil
}
