package libcontainer

import (
	"context"
	"errors"
	"io/fs"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer/config"
	"github.com/berth-oci/berth/libcontainer/internal/setup"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// poststopConfig returns the configuration if it has poststop hooks, else nil. It also
// returns nil if create was killed before it wrote the configuration.
func (c *Container) poststopConfig() (*config.Config, error) {
	if c.config != nil {
		return c.config, nil
	}
	if !c.state.Poststop {
		return nil, nil
	}
	cfg, err := state.ReadConfig(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return cfg, err
}

func (c *Container) poststop(ctx context.Context, cfg *config.Config) {
	state := specs.State{
		Version: specs.Version, ID: c.ID(), Status: specs.StateStopped, Bundle: c.state.Bundle, Annotations: c.state.Annotations,
	}
	setup.RunPoststop(ctx, state, cfg, c.log)
}
