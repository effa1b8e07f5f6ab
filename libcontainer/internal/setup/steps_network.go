package setup

import (
	"github.com/berth-oci/berth/internal/network"
	"github.com/berth-oci/berth/libcontainer/config"
)

// moveDevices moves network devices into the container's network namespace.
func moveDevices(r *run) (err error) {
	if r.mover, err = network.NewMover(r.ctx, r.child.Pidfd); err != nil {
		return &config.FieldError{Field: "linux.netDevices", Err: err}
	}
	r.atEnd(r.mover.Close)
	for _, d := range r.cfg.NetDevices {
		if err := r.mover.Move(d); err != nil {
			return &config.FieldError{Field: d.Field, Err: err}
		}
	}
	return nil
}

// returnDevices moves the devices back. When the namespace ends, the kernel returns
// only physical devices and destroys virtual ones.
func returnDevices(r *run) error {
	if r.mover == nil {
		return nil
	}
	return r.mover.Return()
}

func raiseLoopback(r *run) error {
	network.LoopbackUp(r.stub)
	return nil
}
