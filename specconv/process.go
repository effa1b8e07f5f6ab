package specconv

import (
	"math"
	"strconv"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// defaultUmask applies if process.user.umask is absent. The specification then
// wants the caller's umask, but that of an engine has no meaning for its
// containers.
const defaultUmask = 0o022

// ConvertProcess checks a process: that of config.json, or one to start in a
// running container. Errors name its fields as parts of field, e.g. "process".
// The result shares memory with p.
func ConvertProcess(p *specs.Process, field string) (*config.Process, error) {
	if p == nil {
		return nil, missing(field, `an object with the program in "args"`)
	}
	if err := refuse(refusedInProcess, field, p); err != nil {
		return nil, err
	}
	out := &config.Process{Terminal: p.Terminal, NoNewPrivileges: p.NoNewPrivileges}
	for _, convert := range []func(*config.Process, *specs.Process, string) error{
		convertConsole,
		convertUser,
		convertArgs,
		convertEnv,
		convertCwd,
		convertCapabilities,
		convertRlimits,
		convertOOMScoreAdj,
		convertScheduler,
		convertIOPriority,
		convertAffinity,
		convertLabels,
	} {
		if err := convert(out, p, field); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// convertConsole checks the console's size, which is ignored without a terminal
// (config.md, Process). The kernel's struct winsize has 16 bits each.
func convertConsole(out *config.Process, p *specs.Process, field string) error {
	if !p.Terminal || p.ConsoleSize == nil {
		return nil
	}
	if h := p.ConsoleSize.Height; h > math.MaxUint16 {
		return fieldErr(field+".consoleSize.height", "%d: at most %d", h, math.MaxUint16)
	}
	if w := p.ConsoleSize.Width; w > math.MaxUint16 {
		return fieldErr(field+".consoleSize.width", "%d: at most %d", w, math.MaxUint16)
	}
	out.ConsoleSize = p.ConsoleSize
	return nil
}

// maxGroups is the kernel's NGROUPS_MAX.
const maxGroups = 65536

// convertUser checks ids and umask.
func convertUser(out *config.Process, p *specs.Process, field string) error {
	user := &p.User
	if err := checkID(field+".user.uid", user.UID); err != nil {
		return err
	}
	if err := checkID(field+".user.gid", user.GID); err != nil {
		return err
	}
	if n := len(user.AdditionalGids); n > maxGroups {
		return fieldErr(field+".user.additionalGids", "%d groups: the kernel accepts at most %d", n, maxGroups)
	}
	for i, gid := range user.AdditionalGids {
		if err := checkID(index(field+".user.additionalGids", i), gid); err != nil {
			return err
		}
	}
	out.UID, out.GID, out.AdditionalGIDs, out.Umask = user.UID, user.GID, user.AdditionalGids, defaultUmask
	if user.Umask != nil {
		out.Umask = *user.Umask
	}
	if out.Umask > 0o777 {
		return fieldErr(field+".user.umask", "%d: at most %d (0o777)", out.Umask, 0o777)
	}
	return nil
}

// checkID refuses the id that means "unchanged" to the kernel.
func checkID(field string, id uint32) error {
	if id == math.MaxUint32 {
		return fieldErr(field, `%d: not an id: to the kernel it means "unchanged"`, id)
	}
	return nil
}

// convertArgs checks the command.
func convertArgs(out *config.Process, p *specs.Process, field string) error {
	if len(p.Args) == 0 {
		return missing(field+".args", "at least the program to run")
	}
	if p.Args[0] == "" {
		return fieldErr(field+".args[0]", "empty: want the program to run")
	}
	for i, arg := range p.Args {
		if err := text(index(field+".args", i), arg); err != nil {
			return err
		}
	}
	out.Args = p.Args
	return nil
}

// convertCwd checks the working directory.
func convertCwd(out *config.Process, p *specs.Process, field string) (err error) {
	out.Cwd, err = absolute(field+".cwd", p.Cwd)
	return err
}

// convertOOMScoreAdj checks the range that the kernel allows
// (include/uapi/linux/oom.h).
func convertOOMScoreAdj(out *config.Process, p *specs.Process, field string) error {
	if p.OOMScoreAdj != nil && (*p.OOMScoreAdj < -1000 || *p.OOMScoreAdj > 1000) {
		return fieldErr(field+".oomScoreAdj", "%d: want -1000 to 1000", *p.OOMScoreAdj)
	}
	out.OOMScoreAdj = p.OOMScoreAdj
	return nil
}

// convertKeepGroups checks the annotation about supplementary groups.
func convertKeepGroups(out *config.Config, annotations map[string]string) error {
	value, ok := annotations[config.KeepGroupsAnnotation]
	if !ok {
		return nil
	}
	keep, err := strconv.ParseBool(value)
	if err != nil {
		return fieldErr(key("annotations", config.KeepGroupsAnnotation), `%s: want "1" or "0"`, config.Quote(value))
	}
	out.KeepGroups = keep
	return nil
}
