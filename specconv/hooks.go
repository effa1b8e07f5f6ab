package specconv

import (
	"strings"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// checkHooks checks the hooks of all kinds (config.md, POSIX-platform Hooks).
func checkHooks(hooks *specs.Hooks) error {
	for _, kind := range config.HookKinds {
		for i, hook := range kind.Commands(hooks) {
			if err := checkHook(index("hooks."+string(kind), i), &hook); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkHook(field string, hook *specs.Hook) error {
	if _, err := absolute(field+".path", hook.Path); err != nil {
		return err
	}
	for i, arg := range hook.Args {
		if err := text(index(field+".args", i), arg); err != nil {
			return err
		}
	}
	for i, entry := range hook.Env {
		if name, _, ok := strings.Cut(entry, "="); !ok || name == "" {
			return fieldErr(index(field+".env", i), `%s: want NAME=VALUE`, config.Quote(entry))
		}
		if err := text(index(field+".env", i), entry); err != nil {
			return err
		}
	}
	if hook.Timeout != nil && *hook.Timeout <= 0 {
		return fieldErr(field+".timeout", "%d: want more than 0 seconds (leave it out for no limit)", *hook.Timeout)
	}
	return nil
}

// convertHookOutput checks the annotations that name files for the output of
// hooks.
func convertHookOutput(out *config.Config, annotations map[string]string) (err error) {
	for i, name := range [...]string{config.HookStdoutAnnotation, config.HookStderrAnnotation} {
		path, ok := annotations[name]
		if !ok {
			continue
		}
		if out.HookOutput[i], err = onHost(key("annotations", name), path, out.Bundle); err != nil {
			return err
		}
	}
	return nil
}
