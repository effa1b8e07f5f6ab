package specconv

import (
	"github.com/berth-oci/berth/libcontainer/capabilities"
	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// ProcessLike returns a process like the container's own, without its arguments
// and its terminal. A caller changes it, and converts it by ConvertExec, which
// fills in the rest.
func ProcessLike(own *config.Process, args []string) *specs.Process {
	umask := own.Umask
	return &specs.Process{
		Args: args, Env: own.Env, Cwd: own.Cwd, NoNewPrivileges: own.NoNewPrivileges,
		User: specs.User{UID: own.UID, GID: own.GID, AdditionalGids: own.AdditionalGIDs, Umask: &umask},
		Capabilities: &specs.LinuxCapabilities{
			Bounding:    capabilities.List(own.Capabilities.Bounding),
			Effective:   capabilities.List(own.Capabilities.Effective),
			Inheritable: capabilities.List(own.Capabilities.Inheritable),
			Permitted:   capabilities.List(own.Capabilities.Permitted),
			Ambient:     capabilities.List(own.Capabilities.Ambient),
		},
	}
}

// ConvertExec checks a process to execute in a container. Fields that are not
// set have the value of the container's own process: capabilities, resource
// limits, OOM score, scheduling, I/O priority, CPU affinity, AppArmor profile,
// SELinux label, umask. The result shares memory with both.
func ConvertExec(p *specs.Process, own *config.Process) (*config.Process, error) {
	out, err := ConvertProcess(p, "process")
	if err != nil {
		return nil, err
	}
	for _, row := range []struct {
		absent bool
		take   func()
	}{
		{p.Capabilities == nil, func() { out.Capabilities = own.Capabilities }},
		{p.Rlimits == nil, func() { out.Rlimits = own.Rlimits }},
		{p.OOMScoreAdj == nil, func() { out.OOMScoreAdj = own.OOMScoreAdj }},
		{p.Scheduler == nil, func() { out.Scheduler = own.Scheduler }},
		{p.IOPriority == nil, func() { out.IOPriority = own.IOPriority }},
		{p.ExecCPUAffinity == nil, func() { out.ExecAffinity = own.ExecAffinity }},
		{p.ApparmorProfile == "", func() { out.AppArmorProfile = own.AppArmorProfile }},
		{p.SelinuxLabel == "", func() { out.SELinuxLabel = own.SELinuxLabel }},
		{p.User.Umask == nil, func() { out.Umask = own.Umask }},
	} {
		if row.absent {
			row.take()
		}
	}
	return out, nil
}
