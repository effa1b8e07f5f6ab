package libcontainer

// Processes returns the host's process IDs of the container's cgroup and of cgroups below
// it, ascending. A stopped container can still have processes.
func (c *Container) Processes() ([]int, error) {
	pids, err := c.processes()
	return pids, opError("list processes of", c.ID(), err)
}

func (c *Container) processes() ([]int, error) {
	status, err := c.Status()
	if err != nil {
		return nil, err
	}
	pids, err := c.cgroup().Processes()
	if status == Stopped && noCgroup(err) {
		return nil, nil
	}
	return pids, c.cgroupError(err)
}
