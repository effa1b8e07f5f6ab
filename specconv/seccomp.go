package specconv

import (
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// convertSeccomp checks linux.seccomp.
func convertSeccomp(out *config.Config, p *specs.LinuxSeccomp) error {
	if p == nil {
		return nil
	}
	const field = "linux.seccomp"
	manner, err := seccomp.Check(p)
	if err != nil {
		return config.Below(field, err)
	}
	if err := text(field+".listenerPath", p.ListenerPath); err != nil {
		return err
	}
	out.Seccomp = &config.Seccomp{Profile: p, Flags: manner.Flags, Notify: manner.Notify, Metadata: p.ListenerMetadata}
	if manner.Notify { // otherwise it is ignored, as the specification says
		out.Seccomp.ListenerPath, err = onHost(field+".listenerPath", p.ListenerPath, out.Bundle)
	}
	return err
}
