package config

import (
	"context"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// HookKind is the point of a container's life at which a hook runs; it is the
// name of a list under "hooks" in config.json.
type HookKind string

// The kinds of hooks.
const (
	Prestart        HookKind = "prestart"
	CreateRuntime   HookKind = "createRuntime"
	CreateContainer HookKind = "createContainer"
	StartContainer  HookKind = "startContainer"
	Poststart       HookKind = "poststart"
	Poststop        HookKind = "poststop"
)

// HookKinds are the kinds in the order in which they run.
var HookKinds = [...]HookKind{Prestart, CreateRuntime, CreateContainer, StartContainer, Poststart, Poststop}

// Commands returns the list of a kind; h may be nil.
func (k HookKind) Commands(h *specs.Hooks) []specs.Hook {
	if h == nil {
		return nil
	}
	switch k {
	case Prestart:
		return h.Prestart // deprecated, but Docker still sends them
	case CreateRuntime:
		return h.CreateRuntime
	case CreateContainer:
		return h.CreateContainer
	case StartContainer:
		return h.StartContainer
	case Poststart:
		return h.Poststart
	case Poststop:
		return h.Poststop
	}
	return nil
}

// HookFunction is a hook that is a function of a program that uses berth as a
// library. It runs in that program, whatever its kind; state.Pid is the
// container's init as that program sees it.
type HookFunction func(ctx context.Context, state specs.State) error

// Hooked reports whether the container has hooks of a kind.
func (c *Config) Hooked(kind HookKind) bool {
	return len(kind.Commands(c.Hooks)) > 0 || len(c.HookFunctions[kind]) > 0
}
