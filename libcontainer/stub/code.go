//go:build 386 || amd64 || arm64 || loong64 || ppc64le || riscv64 || s390x

package stub

import "unsafe"

// codeAddr returns the address of the stub's code in this program's text.
func codeAddr() unsafe.Pointer
