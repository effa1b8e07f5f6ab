package setup

import (
	"github.com/berth-oci/berth/internal/intelrdt"
	"github.com/berth-oci/berth/libcontainer/internal/state"
)

// makeResctrlGroup makes the container's groups in the resctrl file system, or uses
// existing ones.
func makeResctrlGroup(r *run) error {
	fs, err := r.findResctrl()
	if err != nil {
		return intelrdt.FieldError(err)
	}
	plan, err := fs.Plan(r.cfg.IntelRdt, r.id)
	if err != nil {
		return intelrdt.FieldError(err)
	}
	r.state.Resctrl = plan
	r.note(func(s *state.State) { s.Resctrl = plan })
	if _, err := r.noting.wait(); err != nil {
		return err
	}
	return intelrdt.FieldError(fs.Create(plan, r.cfg.IntelRdt))
}

func (r *run) findResctrl() (*intelrdt.FS, error) {
	if r.resctrl != "" {
		return intelrdt.At(r.resctrl), nil
	}
	return intelrdt.Find()
}

func undoResctrlGroup(r *run) error {
	if g := r.state.Resctrl; g != nil && !r.leftovers {
		return r.keepForDelete(intelrdt.At(g.Root).Undo(g))
	}
	return nil
}

// enterResctrlGroup moves a stub into the container's groups.
func enterResctrlGroup(r *run) error {
	g := r.state.Resctrl
	fs, err := intelrdt.Saved(g, r.resctrl)
	if err == nil {
		err = fs.Add(g, r.child.Pid)
	}
	return intelrdt.FieldError(err)
}
