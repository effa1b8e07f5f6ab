package specconv

import (
	"slices"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// convertMounts checks mounts (config.md, Mounts).
func convertMounts(list []specs.Mount, bundle string) ([]config.Mount, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := make([]config.Mount, len(list))
	for i := range list {
		if err := convertMount(&out[i], &list[i], index("mounts", i), bundle); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// convertMount checks one mount.
func convertMount(out *config.Mount, m *specs.Mount, field, bundle string) error {
	if err := refuse(refusedInMount, field, m); err != nil {
		return err
	}
	destination, err := absolute(field+".destination", m.Destination)
	if err != nil {
		return err
	}
	*out = config.Mount{Field: field, Destination: destination, Source: m.Source, Type: m.Type}
	if err := convertOptions(out, m.Options); err != nil {
		return err
	}
	if out.Bind {
		return finishBind(out, bundle)
	}
	return finishMount(out)
}

// convertOptions reads the option strings. Whether the mount is a bind mount
// is known only after the last of them, so what must not be there is looked
// for in a second round.
func convertOptions(out *config.Mount, options []string) error {
	for i, name := range options {
		field := index(out.Field+".options", i)
		option := lookupOption(name)
		switch {
		case name == "": // what splitting an empty list leaves: asks for nothing
		case option == nil:
			if err := text(field, name); err != nil {
				return err
			}
			out.Data = append(out.Data, name)
		case option.kind == optRefused:
			return fieldErr(field, "%q is %s", name, notYet)
		default:
			option.apply(out)
		}
	}
	if !out.Bind {
		return nil
	}
	return checkBindOptions(out, options)
}

// checkBindOptions refuses the options that cannot be honoured on a bind
// mount: it shares the superblock with the mount it is made of.
func checkBindOptions(out *config.Mount, options []string) error {
	for i, name := range options {
		field := index(out.Field+".options", i)
		option := lookupOption(name)
		switch {
		case name == "":
		case option == nil:
			return fieldErr(field, "unknown option %s for a bind mount%s", config.Quote(name), config.DidYouMean(name, MountOptions()))
		case option.kind == optFlag:
			return fieldErr(field, "%q: a bind mount cannot change an option of the whole file system", name)
		case option.kind == optCopyUp:
			return fieldErr(field, "%q needs a mount of type \"tmpfs\"", name)
		}
	}
	return nil
}

// finishBind checks what depends on all options of a bind mount. Its type is
// a dummy (config.md, POSIX-platform Mounts).
func finishBind(out *config.Mount, bundle string) error {
	out.Type = ""
	out.Flags = nil // only "ro" or "rw", which Attr has too
	if out.Remount && out.Source == "" {
		return nil
	}
	var err error
	out.Source, err = onHost(out.Field+".source", out.Source, bundle)
	return err
}

// finishMount checks what depends on all options of another mount.
func finishMount(out *config.Mount) error {
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
		return fieldErr(out.Field+".type", "missing")
	case out.CopyUp && out.Type != "tmpfs":
		return fieldErr(out.Field+".options", `"tmpcopyup" needs a mount of type "tmpfs", not %s`, config.Quote(out.Type))
	}
	return nil
}

// rootfsPropagation checks linux.rootfsPropagation, which takes the words of
// the mount options; the recursive ones are not in the specification, but
// every engine's users know them.
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
