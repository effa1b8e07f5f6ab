// Package ociruntime is an OCI runtime as a library: the verbs of the runtime
// specification over a state root. It needs nothing of the importing program:
// no call at its start, no helper binary, no cgo; it works inside a test.
//
// The directory is named runtime; as the standard library has a package of
// that name too, this one calls itself ociruntime.
package ociruntime
