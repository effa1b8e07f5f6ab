// Package arch tests rules of the source tree: imports between packages, the use of
// unsafe, package comments, the cost of initialisation, words. It has no other code.
package arch
