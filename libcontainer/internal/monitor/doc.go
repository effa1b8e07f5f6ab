// Package monitor waits for events of containers: the exit of their processes, OOM
// kills, and statistics at intervals. Exit keeps the exit status of a child, Watch
// reports events to one caller, Witness counts OOM kills in the cgroup of a systemd
// unit, and Shortage says whether a memory limit explains an error.
package monitor
