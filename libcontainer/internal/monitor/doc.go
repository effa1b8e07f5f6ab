// Package monitor watches containers that exist: how their processes end, when
// memory runs short, and what their cgroups count meanwhile.
package monitor
