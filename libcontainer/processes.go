package libcontainer

// Processes lists the processes of the container's cgroup and of those below,
// ascending, as the host sees them: those too that the init of a container that
// has stopped has left behind.
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
