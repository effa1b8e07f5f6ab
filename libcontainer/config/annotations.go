package config

// Annotations of config.json that change what berth does. An engine that passes
// annotations of its users on must decide about these, so each is in the list
// of Annotations too.
const (
	// HookStdoutAnnotation and HookStderrAnnotation name files on the host, which
	// what hooks print is added to. A relative path is below the bundle.
	HookStdoutAnnotation = "run.oci.hooks.stdout"
	HookStderrAnnotation = "run.oci.hooks.stderr"
	// KeepGroupsAnnotation, as "1", leaves the program the supplementary groups
	// of the runtime's caller: an unprivileged user cannot be given them back
	// in a user namespace that does not map them.
	KeepGroupsAnnotation = "run.oci.keep_original_groups"
	// MountContextAnnotation says which of SELinux's contexts linux.mountLabel
	// is.
	MountContextAnnotation = "run.oci.mount_context_type"
	// UnitPropertyAnnotation, with a name behind it, is a property of the unit
	// of systemd's that is the container's cgroup, if one is.
	UnitPropertyAnnotation = "org.systemd.property."
)

// Annotations lists those that change what berth does, sorted; one that ends in
// a dot is the beginning of many (features.md, Unsafe annotations in
// config.json).
func Annotations() []string {
	return []string{
		UnitPropertyAnnotation,
		HookStderrAnnotation,
		HookStdoutAnnotation,
		KeepGroupsAnnotation,
		MountContextAnnotation,
	}
}
