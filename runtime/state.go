package ociruntime

import (
	"io/fs"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-oci/berth/libcontainer"
)

// State is a container's state as "berth state" prints it: that of the
// specification (runtime.md, state) and what runc adds.
type State struct {
	OCIVersion string `json:"ociVersion"`
	ID         string `json:"id"`
	// Pid of the first process on the host, 0 when stopped.
	Pid         int               `json:"pid"`
	Status      string            `json:"status"`
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Created     time.Time         `json:"created"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Owner       string            `json:"owner"`
}

// State gives the container's state at this moment.
func (c *Container) State() (*State, error) {
	s, status, err := c.c.Look()
	if err != nil {
		return nil, err
	}
	st := &State{
		OCIVersion: specs.Version, ID: s.ID, Pid: s.Pid, Status: string(status), Bundle: s.Bundle,
		Rootfs: s.Rootfs, Created: s.Created, Annotations: s.Annotations,
	}
	if status == libcontainer.Stopped {
		st.Pid = 0
	}
	return st, nil
}

func ownerOf(info fs.FileInfo) uint32 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid
	}
	return 0
}
