// Package sys holds the system calls that golang.org/x/sys/unix has no function
// for, or leaves half to its callers: above all those with pointers in their
// structs. With package stub it is the only one that imports unsafe.
package sys
