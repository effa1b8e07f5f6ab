// Package seccomp compiles the seccomp profile of a config.json to a filter for
// seccomp(2): a program of classic BPF.
//
// # The meaning of a profile
//
// The specification takes the actions, operators and architectures from
// libseccomp and does not define them, so a profile means here what it means
// to libseccomp:
//
//   - The native architecture is always part of a filter. A call by another
//     architecture that the profile does not name kills the thread.
//   - The name of a call that an architecture does not have is left out. On
//     architectures with socketcall(2) or ipc(2), a rule for a call that can be
//     made through them applies there too, whatever its arguments: a filter
//     cannot read them, because they are in memory.
//   - A rule with the default action is left out. Of several rules for one
//     call, the first without conditions decides; without such a rule, the
//     others count. Two conditions on one argument of a rule are alternatives.
//   - On 32-bit architectures the low halves of values are compared.
//
// Where conditions of several rules hold at once, the most restrictive action
// wins, as the kernel decides among several filters. With libseccomp, that
// depends on its order of the rules.
//
// # Calls that are newer than the profile
//
// The author of a profile that denies by default knew the calls that it names.
// A call that is newer than all of these, on its architecture, returns ENOSYS
// instead of a default action that denies (errno, trap, kill): a C library then
// uses an older call, where EPERM would be an error to the program.
//
// # Backends
//
// With the build tag libseccomp, libseccomp makes the filter, by cgo. Tests
// compare the compiler of this package with it.
package seccomp
