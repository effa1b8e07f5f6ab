package config

// Annotations of config.json that change berth's behavior. An engine that
// passes on annotations of its users must decide about these, so Annotations
// lists all of them.
const (
	// HookStdoutAnnotation and HookStderrAnnotation name files on the host, to
	// which the output of hooks is appended. A relative path is below the
	// bundle.
	HookStdoutAnnotation = "run.oci.hooks.stdout"
	HookStderrAnnotation = "run.oci.hooks.stderr"
	// KeepGroupsAnnotation, as "1", lets the program keep the supplementary
	// groups of the runtime's caller: an unprivileged user cannot set them
	// again in a user namespace that does not map them.
	KeepGroupsAnnotation = "run.oci.keep_original_groups"
	// MountContextAnnotation names the SELinux context option that
	// linux.mountLabel stands for.
	MountContextAnnotation = "run.oci.mount_context_type"
	// UnitPropertyAnnotation, followed by a name, is a property of the
	// container's systemd unit.
	UnitPropertyAnnotation = "org.systemd.property."
	// CriuConfigAnnotation names a file with options for CRIU; empty for none.
	CriuConfigAnnotation = "org.criu.config"
)

// Annotations lists the annotations that change berth's behavior, sorted. An
// entry that ends in a dot is a prefix (features.md, Unsafe annotations in
// config.json).
func Annotations() []string {
	return []string{
		CriuConfigAnnotation,
		UnitPropertyAnnotation,
		HookStderrAnnotation,
		HookStdoutAnnotation,
		KeepGroupsAnnotation,
		MountContextAnnotation,
	}
}
