// Package libcontainer makes and manages containers: it takes a checked
// configuration (package config) and stdio, and does what the step table in
// steps.go says, on the host and, through a stub (package stub), inside.
//
// Most programs want package runtime, which speaks the terms of the OCI
// runtime specification: bundles, config.json, consoles, pid files.
package libcontainer
