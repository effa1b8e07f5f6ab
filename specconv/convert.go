// Package specconv converts a config.json to a checked configuration. It is
// pure: the result depends on the arguments alone, so the same file has the
// same result on every host. The packages that build the container check
// whether a path exists, and what the kernel supports.
//
// A field that berth does not support is an error with its name, and is never
// ignored. The refusals are tables; Features is made from them and from the
// tables of the parsers.
package specconv

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// Options has facts for Convert that are not in config.json.
type Options struct {
	// Bundle is the absolute path of the bundle directory, the base of relative
	// paths on the host. Without one, relative paths are refused.
	Bundle string
}

// Convert checks a config.json and converts names to numbers. Every error about
// its content is a *config.FieldError. The result shares memory with spec.
func Convert(spec *specs.Spec, o Options) (*config.Config, error) {
	if spec == nil {
		return nil, errors.New("convert config: no configuration given")
	}
	if o.Bundle != "" && !filepath.IsAbs(o.Bundle) {
		return nil, fmt.Errorf("convert config: bundle %q: not an absolute path", o.Bundle)
	}
	if err := checkVersion(spec.Version); err != nil {
		return nil, err
	}
	if err := checkRefused(spec); err != nil {
		return nil, err
	}
	process, err := ConvertProcess(spec.Process, "process")
	if err != nil {
		return nil, err
	}
	out := &config.Config{Process: *process}
	if o.Bundle != "" {
		out.Bundle = filepath.Clean(o.Bundle)
	}
	if err := convertRoot(out, spec.Root); err != nil {
		return nil, err
	}
	if err := convertLinux(out, spec.Linux); err != nil {
		return nil, err
	}
	if err := convertNames(out, spec); err != nil {
		return nil, err
	}
	if err := convertMounts(spec.Mounts, out, spec.Linux); err != nil {
		return nil, err
	}
	if err := convertMountLabel(out, spec.Linux, spec.Annotations); err != nil {
		return nil, err
	}
	if err := checkHooks(spec.Hooks); err != nil {
		return nil, err
	}
	out.Hooks = spec.Hooks
	if err := checkAnnotations(spec.Annotations); err != nil {
		return nil, err
	}
	if err := convertKeepGroups(out, spec.Annotations); err != nil {
		return nil, err
	}
	if err := convertHookOutput(out, spec.Annotations); err != nil {
		return nil, err
	}
	out.Annotations = spec.Annotations
	return out, nil
}

// convertRoot checks root (config.md, Root).
func convertRoot(out *config.Config, root *specs.Root) (err error) {
	if root == nil {
		return missing("root", `an object with the "path" of the root file system`)
	}
	out.ReadonlyRootfs = root.Readonly
	out.Rootfs, err = onHost("root.path", root.Path, out.Bundle)
	return err
}

// convertProtected checks the masked and the read-only paths. A mount over the root covers
// nothing: the container has its root below that mount.
func convertProtected(out *config.Config, linux *specs.Linux) (err error) {
	if out.MaskedPaths, err = absolutes("linux.maskedPaths", linux.MaskedPaths); err != nil {
		return err
	}
	if i := slices.IndexFunc(linux.MaskedPaths, func(path string) bool { return filepath.Clean(path) == "/" }); i >= 0 {
		return fieldErr(index("linux.maskedPaths", i), `"/": the root cannot be masked`)
	}
	if out.ReadonlyPaths, err = absolutes("linux.readonlyPaths", linux.ReadonlyPaths); err != nil {
		return err
	}
	if slices.Contains(out.ReadonlyPaths, "/") {
		out.ReadonlyRootfs = true
		out.ReadonlyPaths = slices.DeleteFunc(out.ReadonlyPaths, func(path string) bool { return path == "/" })
	}
	return nil
}

// convertLinux checks the section linux.
func convertLinux(out *config.Config, linux *specs.Linux) (err error) {
	if linux == nil {
		linux = &specs.Linux{}
	}
	if out.Namespaces, err = convertNamespaces(linux.Namespaces); err != nil {
		return err
	}
	if err := convertMappings(out, linux); err != nil {
		return err
	}
	if out.TimeOffsets, err = convertTimeOffsets(linux.TimeOffsets, out.Namespaces); err != nil {
		return err
	}
	if out.Devices, err = convertDevices(linux.Devices); err != nil {
		return err
	}
	if out.RootfsPropagation, err = rootfsPropagation(linux.RootfsPropagation); err != nil {
		return err
	}
	if err := convertProtected(out, linux); err != nil {
		return err
	}
	if err := checkSharedMounts(out, linux); err != nil {
		return err
	}
	if err := convertSysctls(out, linux.Sysctl); err != nil {
		return err
	}
	if err := convertNetDevices(out, linux.NetDevices); err != nil {
		return err
	}
	if err := convertIntelRdt(out, linux.IntelRdt); err != nil {
		return err
	}
	if err := convertPersonality(out, linux.Personality); err != nil {
		return err
	}
	if err := convertMemoryPolicy(out, linux.MemoryPolicy); err != nil {
		return err
	}
	if err := convertSeccomp(out, linux.Seccomp); err != nil {
		return err
	}
	out.CgroupsPath, out.Resources = linux.CgroupsPath, linux.Resources
	if err := text("linux.cgroupsPath", linux.CgroupsPath); err != nil {
		return err
	}
	return checkResources(linux.Resources)
}

// checkAnnotations checks the annotations' keys (config.md, Annotations).
func checkAnnotations(annotations map[string]string) error {
	if _, ok := annotations[""]; ok {
		return fieldErr(`annotations[""]`, "a key must not be empty")
	}
	return nil
}
