// Package seccomp turns the seccomp profile of a config.json into a filter as
// the kernel takes it (seccomp(2)): a program of classic BPF.
//
// # What a profile means
//
// The specification names the actions, operators and architectures of
// libseccomp and leaves their meaning to it, so a profile means here what it
// means there:
//
//   - The native architecture is always part of a filter. A call made by
//     another one that the profile does not name kills the thread.
//   - A name that an architecture does not have, or that nobody knows, is left
//     out. On architectures with socketcall(2) or ipc(2), a rule for a call
//     that can be made through them holds there too, whatever its arguments:
//     they are behind a pointer.
//   - A rule whose action is the default one is left out. Of rules for one
//     call the first without conditions decides; the others count where there
//     is none. Two conditions on one argument of a rule are alternatives.
//   - On 32-bit architectures the low halves of values are compared.
//
// Where conditions of several rules hold at once, the action decides that the
// kernel would prefer among several filters (the most restrictive); libseccomp
// leaves that to how it happens to sort them.
//
// # Calls that are newer than the profile
//
// A profile that denies by default was written with the calls in mind that it
// names. One that is newer than the newest of them, on its architecture, is
// answered with ENOSYS in the place of a default action that denies (errno,
// trap, kill): a C library takes that as "not there" and falls back to an
// older call, where EPERM would be an error to the program.
//
// # Backends
//
// Build tag libseccomp has the same done by libseccomp, with cgo. It is what
// the compiler of this package is compared with.
package seccomp
