package specconv

import (
	"strconv"
	"strings"

	"github.com/berth-oci/berth/internal/idmap"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// convertIDMap checks a mount's mappings of owners. Without "idmap" or "ridmap"
// they apply to this mount alone, not to mounts below.
func (ctx *mountsContext) convertIDMap(out *config.Mount, m *specs.Mount) error {
	uids, gids := m.UIDMappings, m.GIDMappings
	given := len(uids)+len(gids) > 0
	switch {
	case !given && out.IDMap == nil:
		return nil
	case out.Remount:
		return fieldErr(out.Field+".options", `"remount": the kernel cannot map the owners of an existing mount`)
	case len(uids) == 0 && given:
		return fieldErr(out.Field+".uidMappings", "missing: gidMappings needs it")
	case len(gids) == 0 && given:
		return fieldErr(out.Field+".gidMappings", "missing: uidMappings needs it")
	}
	if out.IDMap == nil {
		out.IDMap = &config.IDMap{}
	}
	if given {
		out.IDMap.UIDs, out.IDMap.GIDs = uids, gids
	}
	if len(out.IDMap.UIDs) == 0 && !ctx.userNamespace {
		return fieldErr(out.Field+".options", `"idmap" needs uidMappings and gidMappings, or a user namespace with mappings`)
	}
	if err := idmap.Check(out.Field+".uidMappings", out.IDMap.UIDs); err != nil {
		return err
	}
	return idmap.Check(out.Field+".gidMappings", out.IDMap.GIDs)
}

// isIDMapOption reports whether an option is crun's form of a mapping:
// "idmap=uids=...;gids=...".
func isIDMapOption(word string) bool {
	return strings.HasPrefix(word, "idmap=") || strings.HasPrefix(word, "ridmap=")
}

// idMapOption parses a mapping in crun's form: "uids=" and "gids=" with ranges
// of three numbers, FILE-HOST-SIZE, separated by "#". With "@" before a range,
// its second number is an id in the container.
func (ctx *mountsContext) idMapOption(out *config.Mount, field, word string) error {
	name, value, _ := strings.Cut(word, "=")
	m := &config.IDMap{Recursive: name == "ridmap"}
	for part := range strings.SplitSeq(value, ";") {
		kind, ranges, _ := strings.Cut(part, "=")
		var err error
		switch kind {
		case "uids":
			m.UIDs, err = parseRanges(ranges, ctx.uids)
		case "gids":
			m.GIDs, err = parseRanges(ranges, ctx.gids)
		default:
			return fieldErr(field, `%s: unknown part %s: want "uids=" or "gids="`, config.Quote(word), config.Quote(part))
		}
		if err != nil {
			return fieldErr(field, "%s: %w", config.Quote(word), err)
		}
	}
	if len(m.UIDs) == 0 || len(m.GIDs) == 0 {
		return fieldErr(field, `%s: want both "uids=" and "gids="`, config.Quote(word))
	}
	out.IDMap = m
	return nil
}

// parseRanges parses the ranges of one mapping; container is the mapping of the
// user namespace.
func parseRanges(text string, container []specs.LinuxIDMapping) ([]specs.LinuxIDMapping, error) {
	var list []specs.LinuxIDMapping
	for part := range strings.SplitSeq(text, "#") {
		numbers, relative := strings.CutPrefix(part, "@")
		m, err := parseRange(numbers)
		if err != nil {
			return nil, err
		}
		if relative {
			id, ok := idmap.ToHost(container, m.HostID)
			if !ok {
				return nil, unmappedError(m.HostID)
			}
			m.HostID = id
		}
		list = append(list, m)
	}
	return list, nil
}

func parseRange(text string) (m specs.LinuxIDMapping, err error) {
	fields := strings.Split(text, "-")
	if len(fields) != 3 {
		return m, rangeError(text)
	}
	for i, number := range []*uint32{&m.ContainerID, &m.HostID, &m.Size} {
		n, err := strconv.ParseUint(fields[i], 10, 32)
		if err != nil {
			return m, rangeError(text)
		}
		*number = uint32(n)
	}
	return m, nil
}

type rangeError string

func (e rangeError) Error() string {
	return "range " + config.Quote(string(e)) + ": want three numbers, as in 0-1000-10"
}

type unmappedError uint32

func (e unmappedError) Error() string {
	return "id " + strconv.FormatUint(uint64(e), 10) + " is not mapped in the container's user namespace"
}
