package ociruntime

import (
	"io/fs"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// State is a container's state as "berth state" prints it: the fields of the
// specification (runtime.md, state) and those that runc adds.
type State struct {
	OCIVersion string `json:"ociVersion"`
	ID         string `json:"id"`
	// Pid is the process ID of init on the host, 0 when stopped.
	Pid         int               `json:"pid"`
	Status      string            `json:"status"`
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Created     time.Time         `json:"created"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Owner       string            `json:"owner"`
}

// State returns the container's current state.
func (c *Container) State() (*State, error) {
	i, err := c.c.Info()
	if err != nil {
		return nil, err
	}
	return &State{
		OCIVersion: specs.Version, ID: i.ID, Pid: i.Pid, Status: string(i.Status), Bundle: i.Bundle,
		Rootfs: i.Rootfs, Created: i.Created, Annotations: i.Annotations,
	}, nil
}

func ownerOf(info fs.FileInfo) uint32 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Uid
	}
	return 0
}
