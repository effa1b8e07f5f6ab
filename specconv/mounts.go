package specconv

import (
	"slices"

	unix "github.com/berth-oci/berth/internal/abi"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// mountsContext is the part of config.json that the mounts depend on.
type mountsContext struct {
	bundle string
	// userNamespace means that the container has its own.
	userNamespace bool
	// uids and gids are its mappings.
	uids, gids []specs.LinuxIDMapping
}

// convertMounts checks mounts (config.md, Mounts).
func convertMounts(list []specs.Mount, out *config.Config, linux *specs.Linux) error {
	if len(list) == 0 {
		return nil
	}
	ctx := mountsContext{bundle: out.Bundle, userNamespace: out.Namespaces.Has(unix.CLONE_NEWUSER)}
	if linux != nil {
		ctx.uids, ctx.gids = linux.UIDMappings, linux.GIDMappings
	}
	out.Mounts = make([]config.Mount, len(list))
	for i := range list {
		if err := ctx.convert(&out.Mounts[i], &list[i], index("mounts", i)); err != nil {
			return err
		}
	}
	return nil
}

// ConvertMounts checks mounts to add to a container that has this
// configuration. Errors name them as parts of "mounts".
func ConvertMounts(list []specs.Mount, own *config.Config) ([]config.Mount, error) {
	out := config.Config{Bundle: own.Bundle, Namespaces: own.Namespaces}
	err := convertMounts(list, &out, &specs.Linux{UIDMappings: own.UIDMappings, GIDMappings: own.GIDMappings})
	return out.Mounts, err
}

// MountPoints checks the destinations of mounts to remove from a container, and
// no other field.
func MountPoints(list []specs.Mount) ([]config.Mount, error) {
	out := make([]config.Mount, len(list))
	for i := range list {
		field := index("mounts", i)
		destination, err := inContainer(field+".destination", list[i].Destination)
		if err != nil {
			return nil, err
		}
		out[i] = config.Mount{Field: field, Destination: destination}
	}
	return out, nil
}

// convert checks one mount.
func (ctx *mountsContext) convert(out *config.Mount, m *specs.Mount, field string) error {
	destination, err := inContainer(field+".destination", m.Destination)
	if err != nil {
		return err
	}
	*out = config.Mount{Field: field, Destination: destination, Source: m.Source, Type: m.Type}
	if err := ctx.convertOptions(out, m.Options); err != nil {
		return err
	}
	if err := ctx.convertIDMap(out, m); err != nil {
		return err
	}
	if out.Bind {
		err = finishBind(out, ctx.bundle)
	} else {
		err = finishMount(out, ctx.bundle)
	}
	if err != nil {
		return err
	}
	return checkDestination(out)
}

// convertOptions parses the option strings. Only after the last one is it known
// whether the mount is a bind mount, so a second loop refuses options that it
// does not allow.
func (ctx *mountsContext) convertOptions(out *config.Mount, options []string) error {
	for i, name := range options {
		field := index(out.Field+".options", i)
		if err := text(field, name); err != nil {
			return err
		}
		for _, word := range splitOption(name) {
			if err := ctx.convertOption(out, field, word); err != nil {
				return err
			}
		}
	}
	for i, name := range options {
		for _, word := range splitOption(name) {
			if err := checkOption(out, index(out.Field+".options", i), word); err != nil {
				return err
			}
		}
	}
	return nil
}

// convertOption parses one option.
func (ctx *mountsContext) convertOption(out *config.Mount, field, word string) error {
	if option := lookupOption(word); option != nil {
		option.apply(out)
		return nil
	}
	if isIDMapOption(word) {
		return ctx.idMapOption(out, field, word)
	}
	out.Data = append(out.Data, word)
	return nil
}

// checkOption refuses an option that cannot have an effect: a bind mount shares
// the superblock with its source.
func checkOption(out *config.Mount, field, word string) error {
	option := lookupOption(word)
	switch {
	case option == nil && out.Bind && !isIDMapOption(word):
		return fieldErr(field, "unknown option %s for a bind mount%s", config.Quote(word), config.DidYouMean(word, MountOptions()))
	case option == nil:
	case option.kind == optFlag && out.Bind:
		return fieldErr(field, "%q: a bind mount cannot change an option of the whole file system", word)
	case option.kind == optCopyUp && out.Bind:
		return fieldErr(field, "%q needs a mount of type \"tmpfs\"", word)
	case option.kind == optBindWay && !out.Bind:
		return fieldErr(field, `%q needs a bind mount: "bind" or "rbind" among the options`, word)
	}
	return nil
}

// finishBind checks the parts that depend on all options of a bind mount. Its
// type is a dummy (config.md, POSIX-platform Mounts).
func finishBind(out *config.Mount, bundle string) error {
	out.Type = ""
	out.Flags = nil // only "ro" or "rw", which Attr has too
	if out.Remount {
		out.Source = "" // it concerns the mount at the destination
		return nil
	}
	var err error
	out.Source, err = onHost(out.Field+".source", out.Source, bundle)
	return err
}

// finishMount checks the parts that depend on all options of another mount.
func finishMount(out *config.Mount, bundle string) error {
	if err := text(out.Field+".source", out.Source); err != nil {
		return err
	}
	if err := text(out.Field+".type", out.Type); err != nil {
		return err
	}
	switch {
	case out.Type == "bind" || out.Type == "rbind":
		return fieldErr(out.Field+".type", "%q is no file system: a bind mount has %q in its options", out.Type, out.Type)
	case out.Type == "" && !out.Remount:
		return missing(out.Field+".type", `a file system like "tmpfs", or "bind" among the options`)
	case out.CopyUp && out.Type != "tmpfs":
		return fieldErr(out.Field+".options", `"tmpcopyup" needs a mount of type "tmpfs", not %s`, config.Quote(out.Type))
	case out.CopyUp && out.Remount:
		return fieldErr(out.Field+".options", `"tmpcopyup" needs a new mount, not a "remount"`)
	}
	if out.Type == "overlay" {
		return overlayPaths(out.Field+".options", out.Data, bundle)
	}
	return nil
}

// rootfsPropagation checks linux.rootfsPropagation, which has the words of
// mount options. The recursive ones are not in the specification, but all
// engines accept them.
func rootfsPropagation(word string) (uint64, error) {
	if word == "" {
		return 0, nil
	}
	option := lookupOption(word)
	if option != nil && option.kind == optPropagation {
		return option.set, nil
	}
	known := slices.DeleteFunc(MountOptions(), func(name string) bool {
		return lookupOption(name).kind != optPropagation
	})
	return 0, fieldErr("linux.rootfsPropagation", "unknown propagation %s%s", config.Quote(word), config.DidYouMean(word, known))
}
