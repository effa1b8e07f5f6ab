package libcontainer

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/config"
)

// UseResctrl accepts the directory root as a resctrl file system, as
// CreateOptions.Resctrl does. Otherwise the groups in the saved state must be in
// one.
func (c *Container) UseResctrl(root string) { c.resctrl = root }

// removeResctrl removes the container's groups from the resctrl file system.
func (c *Container) removeResctrl() error {
	g := c.state.Resctrl
	if g == nil {
		return nil
	}
	fs, err := intelrdt.Saved(g, c.resctrl)
	if err == nil {
		err = fs.Remove(g)
	}
	if err != nil {
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
	fs, err := intelrdt.Saved(g, c.resctrl)
	if err != nil {
		return nil, intelrdt.FieldError(err)
	}
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
