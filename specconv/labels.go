package specconv

import (
	"slices"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// convertLabels checks the labels for the Linux security modules. Only the
// kernel knows whether a profile or label exists.
func convertLabels(out *config.Process, p *specs.Process, field string) error {
	if err := text(field+".apparmorProfile", p.ApparmorProfile); err != nil {
		return err
	}
	if err := text(field+".selinuxLabel", p.SelinuxLabel); err != nil {
		return err
	}
	out.AppArmorProfile, out.SELinuxLabel = p.ApparmorProfile, p.SelinuxLabel
	return nil
}

// mountContexts are the values of the annotation (mount(8)), the default first.
var mountContexts = []string{"context", "fscontext", "defcontext", "rootcontext"}

// unlabelled file systems get their labels from the policy, by path: they
// accept no context option.
var unlabelled = []string{"proc", "sysfs", "cgroup", "cgroup2"}

// labelMax is the longest label that fits into the page of options of mount(2).
const labelMax = 4<<10 - 1

// convertMountLabel sets linux.mountLabel for the mounts, as an option of the
// file system or, if that accepts none, as a label of its root. A bind mount
// keeps the labels of its source.
func convertMountLabel(out *config.Config, linux *specs.Linux, annotations map[string]string) error {
	context := mountContexts[0]
	if name, ok := annotations[config.MountContextAnnotation]; ok {
		if !slices.Contains(mountContexts, name) {
			return fieldErr(key("annotations", config.MountContextAnnotation), "unknown kind of context %s: want one of %s%s",
				config.Quote(name), strings.Join(mountContexts, ", "), config.DidYouMean(name, mountContexts))
		}
		context = name
	}
	if linux == nil || linux.MountLabel == "" {
		return nil
	}
	label := linux.MountLabel
	if err := text("linux.mountLabel", label); err != nil {
		return err
	}
	if len(label) > labelMax {
		return fieldErr("linux.mountLabel", "%s: %d bytes, and the kernel takes %d", config.Quote(label), len(label), labelMax)
	}
	out.MountLabel = label
	option := context + `="` + label + `"` // shared by all mounts
	for i := range out.Mounts {
		m := &out.Mounts[i]
		switch {
		case m.Bind, m.Remount, slices.Contains(unlabelled, m.Type), hasContext(m):
		case m.Type == "mqueue":
			m.Label = label
		default:
			m.Data = append(m.Data, option)
		}
	}
	return nil
}

// hasContext reports whether the options of a mount set a context already.
func hasContext(m *config.Mount) bool {
	return slices.ContainsFunc(m.Data, func(option string) bool {
		name, _, _ := strings.Cut(option, "=")
		return slices.Contains(mountContexts, name)
	})
}
