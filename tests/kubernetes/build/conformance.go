//go:build conformance

// Package build names the packages of the node conformance tests, so that go.mod and go.sum
// have their modules. They are no tools of go.mod: "make kubernetes" does not need them.
package build

import (
	_ "github.com/onsi/ginkgo/v2/ginkgo"
	_ "k8s.io/kubernetes/test/e2e_node"
	_ "k8s.io/kubernetes/test/images/agnhost"
	_ "k8s.io/kubernetes/test/images/nonewprivs"
	_ "k8s.io/kubernetes/test/images/sample-device-plugin"
)
