// Package sys holds system calls that golang.org/x/sys/unix does not wrap or
// wraps only in part, mainly those with pointers in structs, and reads and writes
// files without Go's poller. Only this package and package stub import unsafe.
package sys
