package cgroups

// Stats is what the kernel has counted for a cgroup.
type Stats struct{}
