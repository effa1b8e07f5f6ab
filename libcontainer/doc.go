// Package libcontainer creates and manages containers. It takes a checked configuration
// (package config) and stdio, and takes the steps of the table in internal/setup: some
// on the host, others through a stub (package stub) in the container. Errors of all
// operations are *Error.
//
// Most programs want package runtime, which speaks the terms of the OCI
// runtime specification: bundles, config.json, consoles, pid files.
package libcontainer
