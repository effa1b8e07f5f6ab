// Package arch holds the rules of the source tree as tests: which package may import
// which, where unsafe may stand, what a package must have, what its
// initialisation may cost. It has no code of its own.
package arch
