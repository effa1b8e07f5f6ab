package libcontainer

import (
	"errors"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/config"
)

// makeResctrlGroup makes the container's groups in the resctrl file system, or
// finds them.
func makeResctrlGroup(r *run) error {
	fs, err := r.findResctrl()
	if err != nil {
		return resctrlError(err)
	}
	plan, err := fs.Plan(r.cfg.IntelRdt, r.id)
	if err != nil {
		return resctrlError(err)
	}
	r.state.Resctrl = plan
	r.note(func(s *State) { s.Resctrl = plan })
	if _, err := r.noting.wait(); err != nil {
		return err
	}
	return resctrlError(fs.Create(plan, r.cfg.IntelRdt))
}

func (r *run) findResctrl() (*intelrdt.FS, error) {
	if r.resctrl != "" {
		return intelrdt.At(r.resctrl), nil
	}
	return intelrdt.Find()
}

// resctrlError names the field, unless err does.
func resctrlError(err error) error {
	var field *config.FieldError
	if err == nil || errors.As(err, &field) {
		return err
	}
	return &config.FieldError{Field: "linux.intelRdt", Err: err}
}

func undoResctrlGroup(r *run) error {
	if g := r.state.Resctrl; g != nil && !r.leftovers {
		return r.leave(intelrdt.At(g.Root).Undo(g))
	}
	return nil
}

// enterResctrlGroup moves a stub into the container's groups.
func enterResctrlGroup(r *run) error {
	g := r.state.Resctrl
	return resctrlError(intelrdt.At(g.Root).Add(g, r.child.Pid))
}

// removeResctrl removes what the container has of the resctrl file system.
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

// updateResctrl writes lines to the schemata of the container's group, all or
// none. What it gives writes back what was before.
func (c *Container) updateResctrl(rdt *specs.LinuxIntelRdt) (restore func() error, err error) {
	lines := intelrdt.Lines(rdt)
	if len(lines) == 0 {
		return func() error { return nil }, nil
	}
	g := c.state.Resctrl
	if g == nil {
		return nil, &config.FieldError{Field: lines[0].Field, Err: errors.New("the container was created without linux.intelRdt, so it is in no group of resctrl")}
	}
	for _, line := range lines {
		if err := intelrdt.CheckLine(line.Text); err != nil {
			return nil, &config.FieldError{Field: line.Field, Err: err}
		}
	}
	fs := intelrdt.At(g.Root)
	before, err := fs.Schemata(g)
	if err != nil {
		return nil, resctrlError(err)
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
