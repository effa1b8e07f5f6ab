// Package abi has the constants and types of the kernel that packages need which
// compile on other systems, too: they check configurations and compile filters for Linux.
// The names are those of golang.org/x/sys/unix.
package abi
