package specconv

import (
	"slices"
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// convertEnv checks the environment. Of a name that occurs twice, the last
// value counts, in the position of the first.
func convertEnv(out *config.Process, p *specs.Process, field string) error {
	if len(p.Env) == 0 {
		return nil
	}
	out.Env = make([]string, 0, len(p.Env))
	at := make(map[string]int, len(p.Env))
	for i, entry := range p.Env {
		name, _, ok := strings.Cut(entry, "=")
		if !ok {
			return fieldErr(index(field+".env", i), `%s: want NAME=VALUE`, config.Quote(entry))
		}
		if name == "" {
			return fieldErr(index(field+".env", i), `%s: no name before the "="`, config.Quote(entry))
		}
		if err := text(index(field+".env", i), entry); err != nil {
			return err
		}
		if first, twice := at[name]; twice {
			out.Env[first] = entry
			continue
		}
		at[name] = len(out.Env)
		out.Env = append(out.Env, entry)
	}
	// An empty HOME counts as unset: libcontainer sets it.
	if i, ok := at["HOME"]; ok && out.Env[i] == "HOME=" {
		out.Env = slices.Delete(out.Env, i, i+1)
	}
	return nil
}
