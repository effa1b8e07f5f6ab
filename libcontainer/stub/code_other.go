//go:build !386 && !amd64 && !arm64 && !loong64 && !ppc64le && !riscv64 && !s390x

package stub

import "unsafe"

// codeAddr is not called: CheckArchitecture fails.
func codeAddr() unsafe.Pointer { return nil }
