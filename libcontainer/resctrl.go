package libcontainer

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/config"
)

// removeResctrl removes the container's groups from the resctrl file system.
func (c *Container) removeResctrl() error {
	g := c.state.Resctrl
	if g == nil {
		return nil
	}
	if err := intelrdt.At(g.Root).Remove(g); err != nil {
		return fmt.Errorf("linux.intelRdt: %w", err)
	}
	return nil
}

// updateResctrl writes lines to the schemata of the container's group, all or none.
// Restore writes the previous lines back.
func (c *Container) updateResctrl(rdt *specs.LinuxIntelRdt) (restore func() error, err error) {
	lines := intelrdt.Lines(rdt)
	if len(lines) == 0 {
		return func() error { return nil }, nil
	}
	g := c.state.Resctrl
	if g == nil {
		return nil, &config.FieldError{Field: lines[0].Field, Err: errors.New("the container was created without linux.intelRdt, so it has no resctrl group")}
	}
	for _, line := range lines {
		if err := intelrdt.CheckLine(line.Text); err != nil {
			return nil, &config.FieldError{Field: line.Field, Err: err}
		}
	}
	fs := intelrdt.At(g.Root)
	before, err := fs.Schemata(g)
	if err != nil {
		return nil, intelrdt.FieldError(err)
	}
	restore = func() error {
		var old []intelrdt.Line
		for _, text := range before {
			old = append(old, intelrdt.Line{Field: "linux.intelRdt", Text: text})
		}
		return fs.Write(g, old)
	}
	if err := fs.Write(g, lines); err != nil {
		return nil, errors.Join(err, restore())
	}
	return restore, nil
}
