// Package ociruntime is an OCI runtime as a library: the operations of the runtime
// specification on the containers of a state root. An importing program needs no call
// at its start, no helper binary and no cgo; the package works inside a test.
//
// The directory is named runtime; the package is named ociruntime, as the standard
// library has a package runtime.
package ociruntime
