// Package sys holds system calls that golang.org/x/sys/unix does not wrap or
// wraps only in part, mainly those with pointers in structs. Only this package
// and package stub import unsafe.
package sys
